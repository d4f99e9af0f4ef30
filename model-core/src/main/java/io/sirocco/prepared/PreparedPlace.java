package io.sirocco.prepared;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the prepared weights of one model are kept, and what others must know of them.
 *
 * <pre>
 * ROOT/MODEL/           its files, each complete when it appears
 * ROOT/MODEL/.lock      held by who makes one of them
 * ROOT/MODEL/.whole     bytes of all of them, which room was made for
 * ROOT/.locks/MODEL.use held shared by all that have them open, exclusively by who removes them
 * </pre>
 *
 * @param root of all models' prepared weights, on a local disk; canonical where it exists, so that
 *     a lock has one name within the JVM
 * @param model tells it, and the form of its weights, from others; letters, digits, dots, hyphens
 *     and underscores
 */
public record PreparedPlace(Path root, String model) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");
  private static final String LOCKS = ".locks";
  private static final String WHOLE = ".whole";

  public PreparedPlace {
    Objects.requireNonNull(root, "root");
    if (!isName(model)) {
      throw new IllegalArgumentException("not a name for a folder: " + model);
    }
    try {
      root = root.toRealPath();
    } catch (IOException e) {
      root = root.toAbsolutePath();
    }
  }

  /** A name leads nowhere else, and is none of the files that this keeps for itself. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Those of a root; none where it does not exist. */
  public static List<PreparedPlace> in(Path root) throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries
          .filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
          .map(entry -> String.valueOf(entry.getFileName()))
          .filter(PreparedPlace::isName)
          .sorted()
          .map(model -> new PreparedPlace(root, model))
          .toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** Of its files. */
  public Path folder() {
    return root.resolve(model);
  }

  /** For {@link HostLock}. */
  public Path useLock() {
    return root.resolve(LOCKS).resolve(model + ".use");
  }

  /** Bytes of the files that are there, half made ones included; others may come and go. */
  public long bytes() throws IOException {
    long sum = 0;
    try (Stream<Path> files = Files.list(folder())) {
      for (Path file : files.toList()) {
        sum += size(file);
      }
    } catch (NoSuchFileException | AccessDeniedException e) {
      return sum;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return sum;
  }

  private static long size(Path file) throws IOException {
    try {
      return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /** Bytes that room was made for; 0 where that is not known. */
  public long reserved() throws IOException {
    try (InputStream in = Files.newInputStream(folder().resolve(WHOLE))) {
      String text = new String(in.readNBytes(Long.BYTES * 4), StandardCharsets.US_ASCII).strip();
      return NUMBER.matcher(text).matches() ? Long.parseLong(text) : 0;
    } catch (NoSuchFileException | AccessDeniedException e) {
      return 0;
    }
  }

  /** Tells everybody what {@link #reserved} is from now on; the caller has the place open. */
  public void reserve(long bytes) throws IOException {
    Files.writeString(folder().resolve(WHOLE), Long.toString(bytes));
  }
}
