package io.sirocco.engine;

import io.sirocco.model.TokenRow;
import io.sirocco.tokenizer.Encoding;
import io.sirocco.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/** From what a caller hands in to tokens that can be computed, or to the reason why not. */
final class Intake {
  private final Tokenizer tokenizer;
  private final EngineOptions options;
  private final int vocabSize;

  /** A row read: to be computed, or not. */
  sealed interface Row permits Accepted, Refused {}

  /**
   * @param tokenCount before truncation
   */
  record Accepted(TokenRow row, int tokenCount, boolean truncated) implements Row {}

  record Refused(RowOutcome.Failed outcome) implements Row {}

  Intake(Tokenizer tokenizer, EngineOptions options, int vocabSize) {
    this.tokenizer = tokenizer;
    this.options = options;
    this.vocabSize = vocabSize;
  }

  /** Never throws for what is in a row. */
  Row read(RowInput input) {
    return input instanceof RowInput.Text text
        ? readText(text.text())
        : readTokens((RowInput.Tokens) input);
  }

  OptionalInt countTokens(RowInput input) {
    Row read = read(input);
    return read instanceof Accepted accepted
        ? OptionalInt.of(accepted.tokenCount())
        : ((Refused) read).outcome().tokenCount();
  }

  private Row readText(String text) {
    if (text.isBlank()) {
      return refused(
          RowErrorCode.EMPTY_TEXT, "the text is empty or white space", OptionalInt.empty());
    }
    int atLeast = tokenizer.minimumTokens(text);
    if (options.overLength() == OverLength.ERROR && atLeast > options.maxTokens()) {
      return tooLong("at least " + atLeast, OptionalInt.empty());
    }
    Encoding encoding;
    try {
      encoding = tokenizer.encode(text);
    } catch (RuntimeException e) {
      return refused(RowErrorCode.TOKENIZER_ERROR, message(e), OptionalInt.empty());
    }
    int count = encoding.ids().length;
    if (count <= options.maxTokens()) {
      return checked(TokenRow.of(encoding.ids()), count, false);
    }
    if (options.overLength() == OverLength.ERROR) {
      return tooLong(Integer.toString(count), OptionalInt.of(count));
    }
    try {
      return checked(TokenRow.of(truncated(encoding).ids()), count, true);
    } catch (IllegalArgumentException e) { // The special tokens alone are more than the limit.
      return tooLong(Integer.toString(count), OptionalInt.of(count));
    }
  }

  private Encoding truncated(Encoding encoding) {
    return options.overLength() == OverLength.TRUNCATE_LEFT
        ? encoding.truncatedLeft(options.maxTokens())
        : encoding.truncatedRight(options.maxTokens());
  }

  private Row readTokens(RowInput.Tokens tokens) {
    int count = tokens.ids().length;
    if (count == 0) {
      return refused(
          RowErrorCode.EMPTY_TOKENS, "the token array has no element", OptionalInt.of(0));
    }
    Optional<String> maskProblem = tokens.attentionMask().flatMap(mask -> problemOf(mask, count));
    if (maskProblem.isPresent()) {
      return refused(RowErrorCode.BAD_ATTENTION_MASK, maskProblem.get(), OptionalInt.of(count));
    }
    if (count <= options.maxTokens()) {
      return checked(new TokenRow(tokens.ids(), tokens.attentionMask()), count, false);
    }
    int from = options.overLength() == OverLength.TRUNCATE_LEFT ? count - options.maxTokens() : 0;
    int to = from + options.maxTokens();
    if (options.overLength() == OverLength.ERROR) {
      return tooLong(Integer.toString(count), OptionalInt.of(count));
    }
    TokenRow kept =
        new TokenRow(
            Arrays.copyOfRange(tokens.ids(), from, to),
            tokens.attentionMask().map(mask -> Arrays.copyOfRange(mask, from, to)));
    return checked(kept, count, true);
  }

  private Row checked(TokenRow row, int count, boolean truncated) {
    for (int position = 0; position < row.length(); position++) {
      int id = row.ids()[position];
      if (id < 0 || id >= vocabSize) {
        return refused(
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
    return new Accepted(row, count, truncated);
  }

  private Refused tooLong(String tokens, OptionalInt count) {
    return refused(
        RowErrorCode.TOO_LONG,
        tokens + " tokens, the limit (model.max-tokens) is " + options.maxTokens(),
        count);
  }

  private static Optional<String> problemOf(int[] mask, int tokens) {
    if (mask.length != tokens) {
      return Optional.of(tokens + " tokens, but a mask of " + mask.length);
    }
    for (int position = 0; position < mask.length; position++) {
      if (mask[position] != 0 && mask[position] != 1) {
        return Optional.of(
            "the mask holds "
                + mask[position]
                + " at position "
                + position
                + "; 0 and 1 are legal");
      }
    }
    return Optional.empty();
  }

  private static Refused refused(RowErrorCode code, String message, OptionalInt tokens) {
    return new Refused(new RowOutcome.Failed(code, message, tokens));
  }

  private static String message(RuntimeException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
