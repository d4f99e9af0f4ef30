package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/** Bytes of a fixed number that can be read from any place, and not written. */
public abstract class ReadOnlyBytes implements SeekableByteChannel {
  private final long size;
  private long position;

  protected ReadOnlyBytes(long size) {
    this.size = size;
  }

  /**
   * Reads some bytes from {@code from}, which is before the end, at most up to the end.
   *
   * @return how many, or -1 if there are none after all
   */
  protected abstract int read(long from, ByteBuffer into) throws IOException;

  @Override
  public final int read(ByteBuffer into) throws IOException {
    if (position >= size) {
      return -1;
    }
    int read = read(position, into);
    position += Math.max(0, read);
    return read;
  }

  @Override
  public final long position() {
    return position;
  }

  @Override
  public final SeekableByteChannel position(long to) {
    if (to < 0) {
      throw new IllegalArgumentException("position " + to);
    }
    position = to;
    return this;
  }

  @Override
  public final long size() {
    return size;
  }

  @Override
  public final int write(ByteBuffer from) {
    throw new NonWritableChannelException();
  }

  @Override
  public final SeekableByteChannel truncate(long to) {
    throw new NonWritableChannelException();
  }
}
