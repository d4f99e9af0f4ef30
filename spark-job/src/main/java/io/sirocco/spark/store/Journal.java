package io.sirocco.spark.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Remembers which ranges of a model on its way are here, beyond a crash. Thread-safe. */
final class Journal implements AutoCloseable {
  private final FileChannel channel;

  private Journal(FileChannel channel) {
    this.channel = channel;
  }

  /** The ranges of a journal; none where there is no journal. */
  static List<FetchedRange> read(Path file) throws IOException {
    List<FetchedRange> ranges = new ArrayList<>();
    if (Files.isRegularFile(file)) {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      // What follows the last line's end was being written when its writer died.
      text.substring(0, text.lastIndexOf('\n') + 1)
          .lines()
          .forEach(line -> FetchedRange.parse(line).ifPresent(ranges::add));
    }
    return ranges;
  }

  /** Replaces the journal by one of these ranges, in one step, and goes on from there. */
  static Journal write(Path file, List<FetchedRange> ranges) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".new");
    Journal journal =
        new Journal(
            FileChannel.open(
                next,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE));
    boolean written = false;
    try {
      for (FetchedRange range : ranges) {
        journal.append(range);
      }
      journal.channel.force(true);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
      written = true;
      return journal;
    } finally {
      if (!written) {
        journal.close();
      }
    }
  }

  /** Adds a range whose bytes are on the disk already. */
  synchronized void add(FetchedRange range) throws IOException {
    append(range);
    channel.force(false);
  }

  private void append(FetchedRange range) throws IOException {
    ByteBuffer line = ByteBuffer.wrap(range.line().getBytes(StandardCharsets.UTF_8));
    while (line.hasRemaining()) {
      channel.write(line);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
