package io.sirocco.spark.store;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.Checksum;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * Fills the gaps of a partial copy, several at a time.
 *
 * @param copy to be filled
 * @param remote to read from
 * @param pieces how
 */
record Download(PartialCopy copy, RemoteModel remote, Pieces pieces) {
  private static final int CHUNK = 1 << 20;

  /**
   * @param size in bytes of what is fetched and made safe at a time
   * @param threads that fetch, each from a stream of its own
   */
  record Pieces(long size, int threads) {
    static final Pieces DEFAULT = new Pieces(64L << 20, 4);
  }

  /**
   * @param ranges all of the model
   * @param fetched bytes that were not there before
   */
  record Result(List<FetchedRange> ranges, long fetched) {}

  /** Fetches what is missing; what an earlier download has made safe is read back and kept. */
  Result run() throws IOException {
    copy.makeFiles();
    List<FetchedRange> safe = copy.safeRanges();
    List<PartialCopy.Gap> gaps = copy.gaps(safe, pieces.size());
    Queue<FetchedRange> ranges = new ConcurrentLinkedQueue<>(safe);
    try (Journal journal = Journal.write(copy.journal(), safe)) {
      fetchAll(new ConcurrentLinkedQueue<>(gaps), journal, ranges);
    }
    return new Result(
        new ArrayList<>(ranges), gaps.stream().mapToLong(PartialCopy.Gap::size).sum());
  }

  private void fetchAll(Queue<PartialCopy.Gap> gaps, Journal journal, Queue<FetchedRange> ranges)
      throws IOException {
    ExecutorService threads =
        Executors.newFixedThreadPool(
            pieces.threads(),
            task -> {
              Thread thread = new Thread(task, "sirocco-fetch");
              thread.setDaemon(true);
              return thread;
            });
    try {
      ExecutorCompletionService<Void> ends = new ExecutorCompletionService<>(threads);
      for (int i = 0; i < pieces.threads(); i++) {
        ends.submit(
            () -> {
              fetch(gaps, journal, ranges);
              return null;
            });
      }
      for (int i = 0; i < pieces.threads(); i++) {
        ends.take().get();
      }
    } catch (ExecutionException e) {
      throw asOwn(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a model was fetched", e);
    } finally {
      gaps.clear();
      threads.shutdownNow();
      awaitEnd(threads);
    }
  }

  static IOException asOwn(Throwable problem) {
    if (problem instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    return problem instanceof IOException own ? own : new IOException(problem);
  }

  /** Nobody may write to the files when their fate is decided. */
  private static void awaitEnd(ExecutorService threads) {
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void fetch(Queue<PartialCopy.Gap> gaps, Journal journal, Queue<FetchedRange> ranges)
      throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (PartialCopy.Gap gap = gaps.poll(); gap != null; gap = gaps.poll()) {
      FetchedRange range = fetch(gap, chunk);
      journal.add(range);
      ranges.add(range);
    }
  }

  private FetchedRange fetch(PartialCopy.Gap gap, byte[] chunk) throws IOException {
    Checksum crc = CrcKind.of(gap.file()).start();
    try (FSDataInputStream in = remote.open(gap.file().name());
        FileChannel out = FileChannel.open(copy.file(gap.file()), StandardOpenOption.WRITE)) {
      // A stream read onwards, rather than by positions: for each of those, HDFS and object stores
      // make a request of its own.
      in.seek(gap.offset());
      for (long done = 0; done < gap.size(); ) {
        int size = (int) Math.min(chunk.length, gap.size() - done);
        in.readFully(chunk, 0, size);
        crc.update(chunk, 0, size);
        ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, size);
        for (long at = gap.offset() + done; buffer.hasRemaining(); ) {
          at += out.write(buffer, at);
        }
        done += size;
      }
      out.force(false);
    } catch (EOFException e) {
      throw RemoteModel.cutOff(remote.where(gap.file().name()), gap.offset() + gap.size(), e);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new FetchedRange(gap.file().name(), gap.offset(), gap.size(), (int) crc.getValue());
  }
}
