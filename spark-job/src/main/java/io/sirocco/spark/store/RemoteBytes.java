package io.sirocco.spark.store;

import io.sirocco.checkpoint.ReadOnlyBytes;
import io.sirocco.checkpoint.WeightFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * A remote file, to be read here and there; what is read is kept in a local file, at the same
 * place. Not thread-safe. Its streams are the caller's, also to be closed.
 */
final class RemoteBytes extends ReadOnlyBytes {
  /** Read at a time: a request takes longer than its bytes. */
  private static final int BLOCK = 1 << 15;

  private final FSDataInputStream in;
  private final FileChannel copy;
  private final String where;
  private final AtomicLong bytesRead;
  private final Set<Long> loaded = new HashSet<>();
  private long blockStart;
  private byte[] block = new byte[0];

  /**
   * @param where for messages
   * @param size of the file
   * @param bytesRead is counted up
   */
  RemoteBytes(
      FSDataInputStream in, FileChannel copy, String where, long size, AtomicLong bytesRead) {
    super(size);
    this.in = in;
    this.copy = copy;
    this.where = where;
    this.bytesRead = bytesRead;
  }

  @Override
  protected int read(long position, ByteBuffer into) throws IOException {
    if (position < blockStart || position >= blockStart + block.length) {
      load(position / BLOCK * BLOCK);
    }
    int from = Math.toIntExact(position - blockStart);
    int count = Math.min(into.remaining(), block.length - from);
    into.put(block, from, count);
    return count;
  }

  private void load(long start) throws IOException {
    int count = Math.toIntExact(Math.min(BLOCK, size() - start));
    block = RemoteModel.read(in, where, start, count);
    blockStart = start;
    loaded.add(start);
    bytesRead.addAndGet(count);
    ModelOutline.write(copy, block, start);
  }

  /** Whether a part has been read, and is in the copy. */
  boolean has(WeightFiles.Part part) {
    long end = part.offset() + part.size();
    for (long start = part.offset() / BLOCK * BLOCK; start < end; start += BLOCK) {
      if (!loaded.contains(start)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() {
    // Both streams are the caller's.
  }
}
