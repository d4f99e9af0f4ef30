package io.sirocco.tokenizer;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Loads the Rust tokenizers library, once per JVM and never over the network.
 *
 * <p>DJL copies the library out of its jar into a cache folder and loads it from there. Whoever can
 * write that folder decides what code runs here, so where DJL would fall back to the shared
 * temporary folder, or the home folder is open to others, the library goes to a temporary folder
 * that only this user can read, and is deleted once loaded.
 */
final class NativeLibrary {
  private static final String ENGINE_CACHE = "ENGINE_CACHE_DIR";
  private static final String DJL_CACHE = "DJL_CACHE_DIR";
  private static final String OFFLINE = "ai.djl.offline";

  private static boolean loaded;

  private NativeLibrary() {}

  /**
   * The library, loaded.
   *
   * @throws IllegalStateException if it cannot be: no build for this platform, or no folder that it
   *     may be executed from
   */
  static synchronized TokenizersLibrary load() {
    if (!loaded) {
      stayOffline();
      if (userChoseCache() || homeIsPrivate()) {
        link();
      } else {
        linkFromPrivateFolder();
      }
      loaded = true;
    }
    return TokenizersLibrary.LIB;
  }

  /** Without this, DJL may download a CUDA build and calls the cloud's metadata address. */
  static void stayOffline() {
    if (System.getenv("DJL_OFFLINE") == null && System.getProperty(OFFLINE) == null) {
      System.setProperty(OFFLINE, "true");
    }
  }

  private static boolean userChoseCache() {
    return Stream.of(ENGINE_CACHE, DJL_CACHE)
        .flatMap(name -> Stream.ofNullable(setting(name)))
        .anyMatch(value -> !value.isEmpty());
  }

  private static String setting(String name) {
    String environment = System.getenv(name);
    return environment != null ? environment : System.getProperty(name);
  }

  private static boolean homeIsPrivate() {
    try {
      Path home = Path.of(System.getProperty("user.home", ""));
      Path cache = home.resolve(".djl.ai");
      return isPrivate(home) && (!Files.exists(cache) || isPrivate(cache));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Whether we, and no other user, may write to {@code folder}. */
  static boolean isPrivate(Path folder) {
    if (!folder.isAbsolute() || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      return false;
    }
    PosixFileAttributeView view = Files.getFileAttributeView(folder, PosixFileAttributeView.class);
    if (view == null) {
      return true;
    }
    try {
      return !view.readAttributes().permissions().contains(PosixFilePermission.OTHERS_WRITE);
    } catch (IOException e) {
      return false;
    }
  }

  private static void linkFromPrivateFolder() {
    Path folder;
    try {
      folder = Files.createTempDirectory("sirocco-tokenizers");
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no private folder for the tokenizers library; set " + ENGINE_CACHE, e);
    }
    String before = System.getProperty(ENGINE_CACHE);
    System.setProperty(ENGINE_CACHE, folder.toString());
    try {
      link();
    } finally {
      if (before == null) {
        System.clearProperty(ENGINE_CACHE);
      } else {
        System.setProperty(ENGINE_CACHE, before);
      }
      deleteQuietly(folder);
    }
  }

  private static void link() {
    try {
      LibUtils.checkStatus();
    } catch (RuntimeException | LinkageError e) {
      throw new IllegalStateException(
          "the native tokenizers library cannot be loaded (operating system "
              + System.getProperty("os.name")
              + ", architecture "
              + System.getProperty("os.arch")
              + "); if the folder it is copied to forbids execution, set "
              + ENGINE_CACHE
              + " to one that allows it",
          e);
    }
  }

  private static void deleteQuietly(Path folder) {
    try (Stream<Path> paths = Files.walk(folder)) {
      List<Path> deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      // Windows keeps a loaded library open; what is left lies in the user's own temporary folder.
      folder.toFile().deleteOnExit();
    }
  }
}
