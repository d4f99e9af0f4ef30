package io.sirocco.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Text to token ids and back, exactly as Hugging Face tokenizers do it: the work is done by their
 * Rust library, on the model folder's tokenizer.json as it is. tokenizer_config.json plays no part
 * in ids; like transformers 5, this ignores its {@code add_bos_token} and {@code add_eos_token} in
 * favour of the post-processor's template.
 *
 * <p>Nothing is truncated or padded unless asked for. Safe for any number of threads. Holds native
 * memory (100 MB for a vocabulary of 131072) until closed: keep one per process.
 */
public final class Tokenizer implements AutoCloseable {
  private static final long MAX_FILE_BYTES = 256L << 20;
  private static final String FILE = "tokenizer.json";

  private final TokenizersLibrary library;
  private final long handle;
  private final int vocabSize;
  private final BitSet specialIds;
  private final BitSet forbiddenIds;
  private final TokenBound bound;
  private final int maxTextLength;
  private final int prefix;
  private final int suffix;

  /** Read: a native call is under way. Write: closing, which must not free what a call uses. */
  private final ReadWriteLock calls = new ReentrantReadWriteLock();

  private boolean closed;

  private Tokenizer(String where, TokenizerFile file, SpecialTokenText mode) {
    library = NativeLibrary.load();
    vocabSize = file.vocabSize();
    specialIds = file.specialIds();
    forbiddenIds = mode == SpecialTokenText.LITERAL ? file.forbiddenIds() : new BitSet();
    bound = TokenBound.of(file);
    maxTextLength = PipelineRules.maxTextLength(file.section("pre_tokenizer"));
    try {
      handle = library.createTokenizerFromString(file.jsonFor(mode));
    } catch (RuntimeException e) {
      throw new ModelException(where, "the tokenizers library refuses it: " + e.getMessage(), e);
    }
    try {
      long[] added = encode("a", true, library::getSpecialTokenMask);
      prefix = leading(added, 1);
      suffix = added.length - prefix - leading(Arrays.copyOfRange(added, prefix, added.length), 0);
      long[] all = encode("a", true, library::getTokenIds);
      long[] own = encode("a", false, library::getTokenIds);
      if (!Arrays.equals(Arrays.copyOfRange(all, prefix, all.length - suffix), own)) {
        throw new ModelException(
            where + ": post_processor",
            "does more than add tokens in front of and behind the text");
      }
    } catch (RuntimeException e) {
      library.deleteTokenizer(handle);
      throw e instanceof ModelException
          ? e
          : new ModelException(where, "cannot encode: " + e.getMessage(), e);
    }
  }

  /**
   * Opens the tokenizer.json of a model folder. The caller closes the result.
   *
   * @throws ModelException if the folder has no tokenizer.json, or the file cannot be used
   * @throws IllegalStateException if the native library cannot be loaded on this machine
   */
  public static Tokenizer open(Path modelFolder, SpecialTokenText mode) {
    Objects.requireNonNull(mode, "mode");
    Path path = modelFolder.resolve(FILE);
    if (!Files.isRegularFile(path)) {
      throw missing(modelFolder);
    }
    String where = path.toString();
    return new Tokenizer(where, TokenizerFile.parse(where, read(path)), mode);
  }

  /**
   * The ids of {@code text}, with those that the post-processor adds (such as {@code <s>}). A lone
   * surrogate reads as U+FFFD.
   *
   * @throws IllegalArgumentException if the text is longer than this tokenizer can take (2 Mi
   *     characters where it splits text by a pattern, else 256 Mi), or, with {@link
   *     SpecialTokenText#LITERAL}, the vocabulary offers nothing but a control token for it
   * @throws IllegalStateException if this tokenizer is closed
   */
  public Encoding encode(String text) {
    if (text.length() > maxTextLength) {
      throw new IllegalArgumentException(
          "the text has "
              + text.length()
              + " characters, this tokenizer takes at most "
              + maxTextLength);
    }
    long[] found = encode(withoutLoneSurrogates(text), true, library::getTokenIds);
    int[] ids = new int[found.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.toIntExact(found[i]);
      if (forbiddenIds.get(ids[i]) && i >= prefix && i < ids.length - suffix) {
        throw new IllegalArgumentException("the text would contain the control token " + ids[i]);
      }
    }
    return new Encoding(ids, prefix, suffix);
  }

  /**
   * A number of ids that {@link #encode} cannot stay below for {@code text}, found without encoding
   * it: a caller with a limit can refuse a huge text at once. Where the tokenizer allows no such
   * bound this is just the number of added ids.
   */
  public int minimumTokens(String text) {
    return Math.addExact(bound.minimumTokens(text), prefix + suffix);
  }

  /**
   * The text of {@code ids}, special tokens included. Ids that no token has are dropped.
   *
   * @throws IllegalArgumentException if an id is negative
   * @throws IllegalStateException if this tokenizer is closed
   */
  public String decode(int[] ids) {
    return decode(ids, new BitSet());
  }

  /** As {@link #decode}, special tokens left out. */
  public String decodeSkippingSpecial(int[] ids) {
    return decode(ids, specialIds);
  }

  /** The largest id, added tokens included, plus one. */
  public int vocabSize() {
    return vocabSize;
  }

  /** Frees the native memory, once calls under way have ended. Closing again does nothing. */
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
  private long[] encode(String text, boolean addSpecial, EncodingReader reader) {
    Lock lock = lockOpen();
    try {
      long encoding = library.encode(handle, text, addSpecial);
      try {
        return reader.read(encoding);
      } finally {
        library.deleteEncoding(encoding);
      }
    } finally {
      lock.unlock();
    }
  }

  private String decode(int[] ids, BitSet skipped) {
    long[] known = new long[ids.length];
    int count = 0;
    for (int id : ids) {
      if (id < 0) {
        throw new IllegalArgumentException("token id " + id + " is negative");
      }
      if (id < vocabSize && !skipped.get(id)) {
        known[count++] = id;
      }
    }
    Lock lock = lockOpen();
    try {
      return count == 0 ? "" : library.decode(handle, Arrays.copyOf(known, count), false);
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

  private static int leading(long[] mask, long value) {
    int count = 0;
    while (count < mask.length && mask[count] == value) {
      count++;
    }
    return count;
  }

  /** The native side would replace every surrogate of such a text, paired ones too. */
  private static String withoutLoneSurrogates(String text) {
    StringBuilder repaired = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      repaired = repaired == null ? new StringBuilder(text) : repaired;
      repaired.setCharAt(i, '\uFFFD');
    }
    return repaired == null ? text : repaired.toString();
  }

  private static String read(Path path) {
    byte[] bytes;
    long size;
    try (InputStream in = Files.newInputStream(path)) {
      size = Files.size(path);
      bytes = size > MAX_FILE_BYTES ? new byte[0] : in.readNBytes((int) MAX_FILE_BYTES);
    } catch (IOException e) {
      throw new ModelException(path.toString(), "cannot be read: " + e.getMessage(), e);
    }
    if (size > MAX_FILE_BYTES) {
      throw new ModelException(
          path.toString(), "has " + size + " bytes, at most " + MAX_FILE_BYTES + " are read");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new ModelException(path.toString(), "not UTF-8", e);
    }
  }

  private static ModelException missing(Path modelFolder) {
    for (String other : new String[] {"tekken.json", "tokenizer.model", "tokenizer.model.v3"}) {
      if (Files.exists(modelFolder.resolve(other))) {
        return new ModelException(
            modelFolder.resolve(other).toString(),
            "only "
                + FILE
                + " is read so far; convert it with transformers:"
                + " AutoTokenizer.from_pretrained(folder).save_pretrained(folder)");
      }
    }
    return new ModelException(
        modelFolder.resolve(FILE).toString(), "not found; the model folder needs this file");
  }
}
