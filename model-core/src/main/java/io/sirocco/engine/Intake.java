package io.sirocco.engine;

import io.sirocco.model.TokenRow;
import io.sirocco.tokenizer.Encoding;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/** From what a caller hands in to tokens that can be computed, or to the reason why not. */
final class Intake {
  private final EngineOptions options;
  private final TextReader texts;
  private final LabelReader labels;
  private final Sharing sharing;
  private final AdapterNames adapters;
  private final int vocabSize;

  /** A row read: to be computed, or not. */
  sealed interface Row permits Accepted, Refused {}

  /**
   * @param row with the labels' tree, if there is one
   * @param tokenCount of the prompt, before truncation
   * @param key the row's own, or empty
   * @param labels to score, or none
   * @param adapter the row's, by name; empty for none
   * @param shared leading tokens that are those of the shared prefix, and not computed; of a row to
   *     be written, of its visible ones
   */
  record Accepted(
      TokenRow row,
      int tokenCount,
      boolean truncated,
      String key,
      LabelTree labels,
      String adapter,
      int shared)
      implements Row {

    /** Tokens that are computed. */
    int computed() {
      return row.length() - shared;
    }
  }

  record Refused(RowOutcome.Failed outcome) implements Row {}

  /** What the rows are held against. */
  record Model(Sharing sharing, AdapterNames adapters, int vocabSize) {}

  Intake(TextReader texts, EngineOptions options, Model model) {
    this.options = options;
    this.texts = texts;
    this.sharing = model.sharing();
    this.adapters = model.adapters();
    this.labels = new LabelReader(options.task(), options.maxTokens());
    this.vocabSize = model.vocabSize();
  }

  /** Never throws for what is in a row. */
  Row read(RowRequest request) {
    try {
      return accepted(request);
    } catch (RowRefusal e) {
      return new Refused(e.outcome());
    }
  }

  OptionalInt countTokens(RowRequest request) {
    Row read = read(request);
    return read instanceof Accepted accepted
        ? OptionalInt.of(accepted.tokenCount())
        : ((Refused) read).outcome().tokenCount();
  }

  private Accepted accepted(RowRequest request) throws RowRefusal {
    Prompt prompt = texts.read(request.input());
    int count = prompt.encoding().length();
    boolean truncated = count > options.maxTokens();
    TokenRow row = truncated ? truncated(prompt) : prompt.row();
    checkIds(row, count);
    checkHasToken(row, count);
    LabelTree tree = labels.read(request, row, prompt);
    checkIds(tree.row(), count);
    String adapter = adapters.of(request, count);
    TokenRow whole = tree.labels().isEmpty() ? row : tree.row();
    int shared = sharing.of(whole, row.length());
    return new Accepted(whole, count, truncated, request.key(), tree, adapter, shared);
  }

  private TokenRow truncated(Prompt prompt) throws RowRefusal {
    int count = prompt.encoding().length();
    int most = options.maxTokens();
    try {
      return switch (options.overLength()) {
        case ERROR -> throw RowRefusal.tooLong(Integer.toString(count), options, count);
        case TRUNCATE_LEFT -> prompt.keeping(prompt.encoding().truncatedLeft(most), count - most);
        case TRUNCATE_RIGHT -> prompt.keeping(prompt.encoding().truncatedRight(most), 0);
      };
    } catch (IllegalArgumentException e) { // The special tokens alone are more than the limit.
      throw RowRefusal.tooLong(Integer.toString(count), options, count);
    }
  }

  /** Of an embedding, a token that is attended to is the source; other tasks need none. */
  private void checkHasToken(TokenRow row, int count) throws RowRefusal {
    boolean none =
        options.task() instanceof Task.Embed
            && row.attentionMask().isPresent()
            && Arrays.stream(row.attentionMask().get()).allMatch(attended -> attended == 0);
    if (none) {
      throw new RowRefusal(
          RowErrorCode.BAD_ATTENTION_MASK,
          "the mask hides all tokens, so there is nothing to embed",
          OptionalInt.of(count));
    }
  }

  private void checkIds(TokenRow row, int count) throws RowRefusal {
    for (int position = 0; position < row.length(); position++) {
      int id = row.ids()[position];
      if (id < 0 || id >= vocabSize) {
        throw new RowRefusal(
            RowErrorCode.TOKEN_OUT_OF_RANGE,
            "token "
                + id
                + " at position "
                + position
                + "; the model knows 0 to "
                + (vocabSize - 1),
            OptionalInt.of(count));
      }
    }
  }

  /**
   * A prompt in tokens, before truncation.
   *
   * @param attentionMask of prompts that come as tokens
   * @param continuations ids of a text behind the prompt
   */
  record Prompt(Encoding encoding, Optional<int[]> attentionMask, TextToIds continuations) {

    TokenRow row() {
      return new TokenRow(encoding.ids(), attentionMask);
    }

    /** What truncation left of it; {@code dropped} leading tokens are gone. */
    TokenRow keeping(Encoding kept, int dropped) {
      return new TokenRow(
          kept.ids(),
          attentionMask.map(mask -> Arrays.copyOfRange(mask, dropped, dropped + kept.length())));
    }
  }

  /** Tokenizes a text that follows another. */
  @FunctionalInterface
  interface TextToIds {
    int[] ids(String text);
  }
}
