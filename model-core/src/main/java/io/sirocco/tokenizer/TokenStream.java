package io.sirocco.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * Text of ids that come one by one. The pieces and what {@link #flush} adds are together what
 * decoding all ids at once gives; no piece is ever taken back.
 *
 * <p>A piece is empty while a character or a run of byte tokens is incomplete, and while the text
 * ends in U+FFFD, as in Hugging Face's streams. The time for an id does not depend on those before
 * it. Where the tokenizer's decoder is of another kind than Mistral's, all text comes with {@link
 * #flush}. For one thread.
 */
public final class TokenStream {
  private final Tokenizer tokenizer;
  private final TokenNames names;
  private final BitSet skipped;
  private final Optional<StreamDecoder> decoder;

  /** All ids so far, where there is no decoder. */
  private int[] ids = new int[0];

  private int count;
  private boolean flushed;

  TokenStream(
      Tokenizer tokenizer, TokenNames names, BitSet skipped, Optional<StreamDecoder> decoder) {
    this.tokenizer = tokenizer;
    this.names = names;
    this.skipped = skipped;
    this.decoder = decoder;
  }

  /**
   * The text that has become certain with {@code id}; often empty. An id that no token has is
   * dropped.
   *
   * @throws IllegalArgumentException if the id is negative
   * @throws IllegalStateException if this stream is flushed
   */
  public String push(int id) {
    if (id < 0) {
      throw new IllegalArgumentException("token id " + id + " is negative");
    }
    if (flushed) {
      throw new IllegalStateException("the stream is flushed, no id can follow");
    }
    if (skipped.get(id)) {
      return "";
    }
    if (decoder.isEmpty()) {
      ids = count < ids.length ? ids : Arrays.copyOf(ids, 2 * count + 16);
      ids[count++] = id;
      return "";
    }
    StreamDecoder steps = decoder.get();
    names.name(id).ifPresent(steps::accept);
    StringBuilder text = steps.text();
    boolean complete = !steps.isOpen() && text.length() > 0;
    return complete && text.charAt(text.length() - 1) != '\uFFFD' ? take(text) : "";
  }

  /** The remaining text. The stream ends here; flushing again gives nothing. */
  public String flush() {
    if (flushed) {
      return "";
    }
    flushed = true;
    if (decoder.isEmpty()) {
      return tokenizer.decode(Arrays.copyOf(ids, count));
    }
    decoder.get().finish();
    return take(decoder.get().text());
  }

  private static String take(StringBuilder text) {
    String taken = text.toString();
    text.setLength(0);
    return taken;
  }
}
