package io.sirocco.prepared;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the prepared weights of one model are kept, and what others must know of them.
 *
 * <pre>
 * ROOT/MODEL/           its files, each complete when it appears
 * ROOT/MODEL/.lock      held by who makes one of them
 * ROOT/MODEL/.whole     bytes of all of them, which room was made for; with "complete": which
 *                       they have
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
  private static final Pattern BYTES = Pattern.compile("([0-9]{1,18})( complete)?");
  private static final String LOCKS = ".locks";
  private static final String WHOLE = ".whole";
  private static final Whole UNKNOWN = new Whole(0, false);

  /** What {@code .whole} says. */
  private record Whole(long bytes, boolean complete) {}

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

  /** Those of a root; none where there is no such folder, or none that this user can read. */
  public static List<PreparedPlace> in(Path root) throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries
          .filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
          .map(entry -> String.valueOf(entry.getFileName()))
          .filter(PreparedPlace::isName)
          .sorted()
          .map(model -> new PreparedPlace(root, model))
          .toList();
    } catch (NoSuchFileException | NotDirectoryException | AccessDeniedException e) {
      return List.of();
    } catch (UncheckedIOException e) {
      throw e.getCause();
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
    return bytes(PreparedPlace::isName);
  }

  private long bytes(Predicate<String> names) throws IOException {
    long sum = 0;
    try (Stream<Path> files = Files.list(folder())) {
      for (Path file : files.toList()) {
        sum += names.test(String.valueOf(file.getFileName())) ? size(file) : 0;
      }
    } catch (NoSuchFileException | NotDirectoryException | AccessDeniedException e) {
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

  /**
   * Whether all files of a model are there, as {@link PreparedFolder#complete} has noted. Looks
   * into none of them.
   *
   * @param least bytes that all of them have at least: some tasks use fewer of a model's weights
   */
  public boolean isComplete(long least) throws IOException {
    Whole whole = whole();
    return whole.complete()
        && whole.bytes() >= least
        && bytes(name -> isName(name) && !name.endsWith(PreparedFile.PARTIAL)) >= whole.bytes();
  }

  /** Bytes that room was made for; 0 where that is not known. */
  public long reserved() {
    return whole().bytes();
  }

  private Whole whole() {
    try (InputStream in = Files.newInputStream(folder().resolve(WHOLE))) {
      String text = new String(in.readNBytes(Long.BYTES * 4), StandardCharsets.US_ASCII).strip();
      Matcher found = BYTES.matcher(text);
      return found.matches()
          ? new Whole(Long.parseLong(found.group(1)), found.group(2) != null)
          : UNKNOWN;
    } catch (IOException e) {
      return UNKNOWN;
    }
  }

  /** Tells everybody what {@link #reserved} is from now on; the caller has the place open. */
  public void reserve(long bytes) throws IOException {
    write(Long.toString(bytes));
  }

  /** Notes that files of so many bytes together are all that a task uses, if no task uses more. */
  void complete(long bytes) throws IOException {
    if (!isComplete(bytes)) {
      write(bytes + " complete");
    }
  }

  /** Replaces it in one step: others read it at any time. */
  private void write(String whole) throws IOException {
    Path beside = folder().resolve(WHOLE + "-" + UUID.randomUUID());
    boolean written = false;
    try {
      Files.writeString(beside, whole);
      Files.move(
          beside,
          folder().resolve(WHOLE),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
      written = true;
    } finally {
      if (!written) {
        Files.deleteIfExists(beside);
      }
    }
  }
}
