package io.sirocco.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.sirocco.checkpoint.ModelException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** One tokenizer of the Rust library: native memory, freed when no call uses it. */
final class NativeTokenizer implements AutoCloseable {
  /** Whether the post-processor may add its tokens. */
  enum Added {
    WITH,
    WITHOUT
  }

  private final TokenizersLibrary library = NativeLibrary.load();
  private final long handle;

  /** Read: a native call is under way. Write: closing, which must not free what a call uses. */
  private final ReadWriteLock calls = new ReentrantReadWriteLock();

  private boolean closed;

  /**
   * Loads {@code json}; {@code where} is the file, for errors.
   *
   * @throws ModelException if the library refuses it
   */
  NativeTokenizer(String where, String json) {
    try {
      handle = library.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new ModelException(where, "the tokenizers library refuses it: " + e.getMessage(), e);
    }
  }

  /** Ids of a text without lone surrogates. */
  long[] ids(String text, Added added) {
    return encode(text, added, library::getTokenIds);
  }

  /** For each id, 1 if the post-processor added it. */
  long[] addedMask(String text) {
    return encode(text, Added.WITH, library::getSpecialTokenMask);
  }

  String decode(long[] ids) {
    Lock lock = lockOpen();
    try {
      return ids.length == 0 ? "" : library.decode(handle, ids, false);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    calls.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        library.deleteTokenizer(handle);
      }
    } finally {
      calls.writeLock().unlock();
    }
  }

  /**
   * Reads one array of an encoding. DJL's own wrapper reads all of them, tokens and offsets
   * included, which takes a third longer, and truncates by default.
   */
  private long[] encode(String text, Added added, EncodingReader reader) {
    Lock lock = lockOpen();
    try {
      long encoding = library.encode(handle, text, added == Added.WITH);
      try {
        return reader.read(encoding);
      } finally {
        library.deleteEncoding(encoding);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The lock that keeps this open, held; the caller unlocks it. */
  private Lock lockOpen() {
    Lock lock = calls.readLock();
    lock.lock();
    if (closed) {
      lock.unlock();
      throw new IllegalStateException("the tokenizer is closed");
    }
    return lock;
  }

  private interface EncodingReader {
    long[] read(long encoding);
  }
}
