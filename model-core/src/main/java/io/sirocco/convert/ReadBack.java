package io.sirocco.convert;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A second thread, in which a file that is written reaches the disk and is read back while the next
 * one is written: one file at a time. Closing it waits for the file at hand.
 */
final class ReadBack implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "sirocco-read-back");
            made.setDaemon(true);
            return made;
          });

  private Future<Void> last = CompletableFuture.completedFuture(null);

  /**
   * Goes on with this file, once the one before is done.
   *
   * @throws IOException what the work on the file before has thrown, as {@link #await}
   */
  void begin(Callable<Void> work) throws IOException {
    await();
    last = thread.submit(work);
  }

  /**
   * Waits for the file at hand.
   *
   * @throws IOException what its work has thrown, or that this thread was interrupted
   */
  void await() throws IOException {
    try {
      last.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a file was read back");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IOException(e.getCause());
    } finally {
      last = CompletableFuture.completedFuture(null);
    }
  }

  /**
   * Not to leave a thread behind that works on files which another process may take over.
   *
   * @throws IOException what the work on the last file has thrown, if nobody has heard of it yet
   */
  @Override
  public void close() throws IOException {
    thread.shutdown();
    boolean interrupted = false;
    while (true) {
      try {
        if (thread.awaitTermination(1, TimeUnit.MINUTES)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    await();
  }
}
