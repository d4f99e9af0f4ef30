package io.sirocco.spark.store;

import java.util.regex.Pattern;

/** Tells where a path of a model is. */
public final class ModelPath {
  /** Of two letters at least: one alone is a drive. */
  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

  private static final String FILE = "file:";

  private ModelPath() {}

  /** Whether it is not one of this machine. */
  public static boolean isRemote(String path) {
    return SCHEME.matcher(path).matches() && !isFileUri(path);
  }

  /** Schemes are the same in capitals. */
  public static boolean isFileUri(String path) {
    return path.regionMatches(true, 0, FILE, 0, FILE.length());
  }
}
