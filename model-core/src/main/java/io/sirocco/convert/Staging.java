package io.sirocco.convert;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a folder is made before it appears: beside it, on the same disk, under a name that begins
 * with a dot. It survives a crash, and belongs to one process at a time.
 */
final class Staging implements AutoCloseable {
  private static final String LOCK = "lock";
  private static final String JOURNAL = "journal";
  private static final String MODEL = "model";

  private final Path target;
  private final Path work;
  private final FileChannel lock;

  private Staging(Path target, Path work, FileChannel lock) {
    this.target = target;
    this.work = work;
    this.lock = lock;
  }

  /** Where the folder {@code target} is made. */
  static Path of(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".converting");
  }

  /**
   * @throws ModelException if something is at {@code target}
   */
  static void requireAbsent(Path target) {
    if (target.getFileName() == null || Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new ModelException(
          target.toString(), "exists; expected a folder that is still to be made");
    }
  }

  /**
   * Makes it, or takes what an earlier run has left.
   *
   * @throws ModelException if another process is at work on the same folder
   */
  static Staging open(Path target) throws IOException {
    Path work = of(target);
    Files.createDirectories(work.getParent());
    if (!Files.isDirectory(work, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(work);
    }
    FileChannel channel =
        FileChannel.open(work.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock own = channel.tryLock();
      if (own != null) {
        // The process that had the lock before may have been the one to make the folder.
        requireAbsent(target);
        return new Staging(target, work, channel);
      }
    } catch (ModelException e) {
      channel.close();
      throw e;
    } catch (OverlappingFileLockException e) {
      // This JVM has it, which is the same to the caller.
    }
    channel.close();
    throw new ModelException(
        target.toString(), "is being made by another process, in " + work + "; wait for it to end");
  }

  /** Says which files are complete. */
  Path journal() {
    return work.resolve(JOURNAL);
  }

  /** Becomes the folder; there only after {@link #clear} or an earlier run. */
  Path model() {
    return work.resolve(MODEL);
  }

  /** Deletes what an earlier run has made, and makes the folder empty. */
  void clear() throws IOException {
    delete(model());
    Files.createDirectories(model());
  }

  /** The folder appears, complete, and outlasts a power failure. */
  void publish() throws IOException {
    try (Stream<Path> files = Files.list(model())) {
      for (Path file : files.toList()) {
        force(file);
      }
    }
    force(model());
    requireAbsent(target);
    Files.move(model(), target, StandardCopyOption.ATOMIC_MOVE);
    force(target.getParent());
    try {
      Files.deleteIfExists(journal());
      Files.deleteIfExists(work.resolve(LOCK));
      Files.deleteIfExists(work);
    } catch (DirectoryNotEmptyException e) {
      // Another process has come meanwhile, and finds that there is nothing to do.
    }
  }

  private static void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Deletes a file, or a folder with all that is in it; not what a link leads to. */
  static void delete(Path folder) throws IOException {
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      List<Path> all;
      try (Stream<Path> found = Files.walk(folder)) {
        all = found.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path path : all) {
        Files.deleteIfExists(path);
      }
    }
  }

  /** Leaves what is there to the next run. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}
