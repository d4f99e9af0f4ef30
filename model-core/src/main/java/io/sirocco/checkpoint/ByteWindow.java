package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A part of a file as if it were the file: read-only, and within its bounds. */
final class ByteWindow extends ReadOnlyBytes {
  private final SeekableByteChannel whole;
  private final long offset;

  /** {@code whole} stays the caller's. */
  ByteWindow(SeekableByteChannel whole, long offset, long size) {
    super(size);
    this.whole = whole;
    this.offset = offset;
  }

  @Override
  protected int read(long from, ByteBuffer into) throws IOException {
    int limit = into.limit();
    into.limit(into.position() + (int) Math.min(into.remaining(), size() - from));
    try {
      whole.position(offset + from);
      return whole.read(into);
    } finally {
      into.limit(limit);
    }
  }

  @Override
  public boolean isOpen() {
    return whole.isOpen();
  }

  /** Leaves the whole open. */
  @Override
  public void close() {}
}
