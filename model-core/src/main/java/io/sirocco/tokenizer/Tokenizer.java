package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.NativeTokenizer.Added;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Text to token ids and back, exactly as Hugging Face tokenizers do it: the work is done by their
 * Rust library, on the model folder's tokenizer.json as it is, or on what a raw release's becomes.
 * tokenizer_config.json plays no part in ids; like transformers 5, this ignores its {@code
 * add_bos_token} and {@code add_eos_token} in favour of the post-processor's template.
 *
 * <p>A row's text comes in by {@link #encode(String)}, a rendered chat template by {@link
 * #encodePrompt}; both by the one native tokenizer.
 *
 * <p>Nothing is truncated or padded unless asked for. Safe for any number of threads. Holds native
 * memory (100 MB for a vocabulary of 131072) until closed: keep one per process.
 */
public final class Tokenizer implements AutoCloseable {
  private final NativeTokenizer loaded;
  private final PromptEncoder prompts;
  private final WordSeams seams;
  private final TokenNames names;
  private final TokenTexts texts;
  private final JsonNode decoder;
  private final BitSet specialIds;
  private final int vocabSize;
  private final TokenBound bound;

  /** Ids that the post-processor puts in front of every text, and behind it. */
  private final int[] prefix;

  private final int[] suffix;

  private Tokenizer(String where, TokenizerFile file, SpecialTokenText mode) {
    boolean literal = mode == SpecialTokenText.LITERAL;
    SpecialAliases aliases = literal ? SpecialAliases.of(where, file) : SpecialAliases.none();
    TokenizerJson json = new TokenizerJson(file);
    vocabSize = file.vocabSize();
    specialIds = file.specialIds();
    bound = TokenBound.of(file);
    seams = literal ? WordSeams.of(file) : WordSeams.none();
    names = new TokenNames(file);
    decoder = file.section("decoder");
    texts = TokenTexts.of(decoder);
    PromptAliaser aliaser = new PromptAliaser(where, file, aliases);
    BitSet forbidden = literal ? file.forbiddenIds() : new BitSet();
    int maxTextLength = PipelineRules.maxTextLength(file.section("pre_tokenizer"));
    loaded = new NativeTokenizer(where, literal ? json.literal(aliases) : json.parsing());
    prompts = new PromptEncoder(loaded, aliaser, aliases, forbidden, maxTextLength);
    try {
      long[] added = loaded.addedMask("a");
      int start = leading(added, 1);
      int end = start + leading(Arrays.copyOfRange(added, start, added.length), 0);
      long[] all = loaded.ids("a", Added.WITH);
      long[] own = loaded.ids("a", Added.WITHOUT);
      if (!Arrays.equals(Arrays.copyOfRange(all, start, end), own)) {
        throw new ModelException(
            where + ": post_processor",
            "does more than add tokens in front of and behind the text");
      }
      prefix = ints(Arrays.copyOf(all, start));
      suffix = ints(Arrays.copyOfRange(all, end, all.length));
    } catch (RuntimeException e) {
      loaded.close();
      throw e instanceof ModelException
          ? e
          : new ModelException(where, "cannot encode: " + e.getMessage(), e);
    }
  }

  /**
   * Opens the tokenizer of a model folder: tokenizer.json, or else the one that a raw release's
   * tekken.json or tokenizer.model becomes. The caller closes the result.
   *
   * @throws ModelException if the folder has none of these, or the file cannot be used
   * @throws IllegalStateException if the native library cannot be loaded on this machine
   */
  public static Tokenizer open(Path modelFolder, SpecialTokenText mode) {
    Objects.requireNonNull(mode, "mode");
    TokenizerFolder.Source source = TokenizerFolder.read(modelFolder);
    return new Tokenizer(source.where(), TokenizerFile.parse(source.where(), source.json()), mode);
  }

  /**
   * The ids of {@code text}, with those that the post-processor adds (such as {@code <s>}). A lone
   * surrogate reads as U+FFFD.
   *
   * @throws IllegalArgumentException if the text is longer than this tokenizer can take (2 Mi
   *     characters where it splits text by one of Mistral's patterns, 64 Ki or less by another one,
   *     else 256 Mi), or, with {@link SpecialTokenText#LITERAL}, the vocabulary offers nothing but
   *     a control token for it
   * @throws IllegalStateException if this tokenizer is closed
   */
  public Encoding encode(String text) {
    prompts.checkLength(text.length());
    long[] found = loaded.ids(Surrogates.repaired(text), Added.WITH);
    int[] ids = new int[found.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.toIntExact(found[i]);
      if (i >= prefix.length && i < ids.length - suffix.length) {
        prompts.checkFree(ids[i]);
      }
    }
    return new Encoding(ids, prefix.length, suffix.length);
  }

  /**
   * As {@link #encode(String)}, of a text that is a row's in part only: elsewhere a control token's
   * name is that token, as in {@link #encodePrompt}.
   *
   * @param fromData bit i is set if UTF-16 unit i of {@code text} came from a row
   * @throws IllegalArgumentException as {@link #encodePrompt}
   * @throws ModelException as {@link #encodePrompt}
   * @throws IllegalStateException if this tokenizer is closed
   */
  public Encoding encode(String text, BitSet fromData) {
    int[] own = encodePrompt(text, fromData);
    int[] ids = Arrays.copyOf(prefix, prefix.length + own.length + suffix.length);
    System.arraycopy(own, 0, ids, prefix.length, own.length);
    System.arraycopy(suffix, 0, ids, prefix.length + own.length, suffix.length);
    return new Encoding(ids, prefix.length, suffix.length);
  }

  /**
   * The ids of a rendered prompt, none added: the control tokens that it needs are in its text. A
   * control token's name counts only where the template wrote all of it; what came from a row is
   * plain text, whatever it says. With {@link SpecialTokenText#PARSE} every name counts.
   *
   * @param text the prompt; a lone surrogate reads as U+FFFD
   * @param fromData bit i is set if UTF-16 unit i of {@code text} came from a row
   * @throws IllegalArgumentException as {@link #encode(String)}, or if {@code fromData} goes beyond
   *     the text
   * @throws ModelException if a control token is matched in normalized text, and the normalizer is
   *     not one of Mistral's
   * @throws IllegalStateException if this tokenizer is closed
   */
  public int[] encodePrompt(String text, BitSet fromData) {
    checkWithin(text, fromData);
    return prompts.ids(Surrogates.repaired(text), fromData);
  }

  /**
   * The continuations of a prompt that {@link #encodePrompt} reads.
   *
   * @throws IllegalArgumentException as {@link #encodePrompt}
   * @throws IllegalStateException if this tokenizer is closed
   */
  public Continuations continuations(String prompt, BitSet fromData) {
    checkWithin(prompt, fromData);
    return new Continuations(prompts, seams, Surrogates.repaired(prompt), fromData);
  }

  /**
   * The continuations of a plain text that {@link #encode(String)} reads. Those that its ids have
   * behind the text, if any, do not count: a continuation takes their place.
   *
   * @throws IllegalArgumentException as {@link #encode(String)}
   * @throws IllegalStateException if this tokenizer is closed
   */
  public Continuations continuations(String text) {
    BitSet all = new BitSet();
    all.set(0, text.length());
    return continuations(text, all);
  }

  /**
   * A number of ids that {@link #encode(String)} cannot stay below for {@code text}, found without
   * encoding it: a caller with a limit can refuse a huge text at once. Where the tokenizer allows
   * no such bound this is just the number of added ids.
   */
  public int minimumTokens(String text) {
    return Math.addExact(bound.minimumTokens(text), prefix.length + suffix.length);
  }

  /** As {@link #minimumTokens}, for {@link #encodePrompt}. */
  public int minimumPromptTokens(String text) {
    return bound.minimumTokens(text);
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

  /**
   * As {@link #decode}, special tokens left out. Ids generated behind a prompt are decoded by
   * themselves: like transformers' pipelines since 5.9, this drops the space in front of their
   * first word where the tokenizer is of the SentencePiece kind.
   */
  public String decodeSkippingSpecial(int[] ids) {
    return decode(ids, specialIds);
  }

  /** Decodes ids as they come; the pieces add up to what {@link #decode} gives. */
  public TokenStream stream() {
    return new TokenStream(this, names, new BitSet(), StreamDecoder.of(decoder));
  }

  /** Decodes ids as they come; the pieces add up to what {@link #decodeSkippingSpecial} gives. */
  public TokenStream streamSkippingSpecial() {
    return new TokenStream(this, names, specialIds, StreamDecoder.of(decoder));
  }

  /**
   * What token {@code id} says in the middle of a text, as UTF-8, or a part of a character's: a
   * word's space in front is kept. A special token says its name. Empty if no token has this id.
   */
  public byte[] tokenBytes(int id) {
    return names
        .name(id)
        .map(n -> specialIds.get(id) ? n.getBytes(StandardCharsets.UTF_8) : texts.bytes(n))
        .orElseGet(() -> new byte[0]);
  }

  /** The id of the token that is spelt {@code token} in the vocabulary, such as {@code </s>}. */
  public OptionalInt idOf(String token) {
    return names.idOf(token);
  }

  /** Whether {@code id} is a control token. */
  public boolean isSpecial(int id) {
    return specialIds.get(id);
  }

  /** The largest id, added tokens included, plus one. */
  public int vocabSize() {
    return vocabSize;
  }

  /** Frees the native memory, once calls under way have ended. Closing again does nothing. */
  @Override
  public void close() {
    loaded.close();
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
    return loaded.decode(Arrays.copyOf(known, count));
  }

  private static void checkWithin(String text, BitSet fromData) {
    if (fromData.length() > text.length()) {
      throw new IllegalArgumentException(
          "fromData has bit "
              + (fromData.length() - 1)
              + ", but the text has "
              + text.length()
              + " characters");
    }
  }

  private static int[] ints(long[] ids) {
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  private static int leading(long[] mask, long value) {
    int count = 0;
    while (count < mask.length && mask[count] == value) {
      count++;
    }
    return count;
  }
}
