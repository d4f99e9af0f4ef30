package io.sirocco.prepared;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A lock that the threads and the processes of a host respect; the operating system takes it from a
 * process that dies.
 *
 * <p>It is a lock of a whole file. Such locks belong to the process, and closing any channel of the
 * file gives them up. Therefore the JVM has one channel for each file, and counts its holders.
 */
public final class HostLock implements AutoCloseable {
  private static final long POLL_MILLIS = 200;

  /** Guarded by itself. */
  private static final Map<Path, Held> HELD = new HashMap<>();

  private final Path file;
  private final AtomicBoolean released = new AtomicBoolean();

  /** How a lock is held. */
  private enum Mode {
    SHARED,
    EXCLUSIVE
  }

  private static final class Held {
    private final FileChannel channel;
    private final Mode mode;
    private int holders = 1;

    Held(FileChannel channel, Mode mode) {
      this.channel = channel;
      this.mode = mode;
    }
  }

  private HostLock(Path file) {
    this.file = file;
  }

  /**
   * Empty while anybody else holds it. {@code file} is made if need be, and never deleted.
   *
   * @param file canonical, so that it has one name within the JVM
   * @throws ModelException if it cannot be made or opened
   */
  public static Optional<HostLock> tryExclusive(Path file) {
    return attempt(file, Mode.EXCLUSIVE);
  }

  /**
   * Waits until nobody else holds it.
   *
   * @param file as of {@link #tryExclusive}
   * @param waiting is told once, where the lock is not free
   * @throws ModelException if the file cannot be made or opened
   */
  public static HostLock exclusive(Path file, Runnable waiting) {
    return await(file, Mode.EXCLUSIVE, waiting);
  }

  /**
   * Waits until nobody holds it exclusively. Another user's file will do, if it can be read.
   *
   * @param file as of {@link #tryExclusive}
   * @throws ModelException if it cannot be made or opened
   */
  public static HostLock shared(Path file) {
    return await(file, Mode.SHARED, () -> {});
  }

  /**
   * Asks again and again, rather than to wait in the operating system, which sees whole processes:
   * two that wait for each other's locks in different threads would be told that they deadlock.
   */
  private static HostLock await(Path file, Mode mode, Runnable waiting) {
    Optional<HostLock> lock = attempt(file, mode);
    if (lock.isEmpty()) {
      waiting.run();
    }
    while (lock.isEmpty()) {
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        throw interrupted(file, e);
      }
      lock = attempt(file, mode);
    }
    return lock.get();
  }

  private static IllegalStateException interrupted(Path file, Exception e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("interrupted while waiting for " + file, e);
  }

  private static Optional<HostLock> attempt(Path file, Mode mode) {
    synchronized (HELD) {
      Held held = HELD.get(file);
      if (held != null) {
        if (mode == Mode.EXCLUSIVE || held.mode == Mode.EXCLUSIVE) {
          return Optional.empty();
        }
        held.holders++;
        return Optional.of(new HostLock(file));
      }
      try {
        FileChannel channel = lockedChannel(file, mode);
        if (channel == null) {
          return Optional.empty();
        }
        HELD.put(file, new Held(channel, mode));
        return Optional.of(new HostLock(file));
      } catch (ClosedByInterruptException e) {
        throw interrupted(file, e);
      } catch (IOException e) {
        throw new ModelException(file.toString(), "cannot be locked: " + e, e);
      }
    }
  }

  /** Null if another process holds the lock. */
  private static FileChannel lockedChannel(Path file, Mode mode) throws IOException {
    FileChannel channel = channel(file, mode);
    FileLock lock = null;
    try {
      lock = channel.tryLock(0, Long.MAX_VALUE, mode == Mode.SHARED);
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    return lock == null ? null : channel;
  }

  private static FileChannel channel(Path file, Mode mode) throws IOException {
    try {
      return FileChannel.open(
          file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (FileSystemException e) {
      // Another user's, or on a disk that cannot be written to.
      if (mode == Mode.EXCLUSIVE) {
        throw e;
      }
      return FileChannel.open(file, StandardOpenOption.READ);
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (!released.compareAndSet(false, true)) {
      return;
    }
    synchronized (HELD) {
      Held held = HELD.get(file);
      held.holders--;
      if (held.holders == 0) {
        HELD.remove(file);
        try {
          held.channel.close();
        } catch (IOException e) {
          throw new ModelException(file.toString(), "cannot be unlocked: " + e, e);
        }
      }
    }
  }
}
