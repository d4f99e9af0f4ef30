package io.sirocco.arrow;

import io.sirocco.engine.Engine;
import io.sirocco.engine.RowAnswer;
import io.sirocco.engine.RowErrorCode;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

/** Reads the rows of one input batch. */
final class InputReader {
  private final Prompts prompts;
  private final Optional<VarCharVector> keys;
  private final Optional<ListVector> labels;
  private final Optional<VarCharVector> adapters;

  /** What the model is to read in a row, or why there is nothing. */
  private sealed interface Prompt {
    record Given(RowInput input) implements Prompt {}

    record Missing(RowErrorCode code, String message) implements Prompt {}
  }

  private interface Prompts {
    Prompt at(int row);
  }

  private InputReader(
      Prompts prompts,
      Optional<VarCharVector> keys,
      Optional<ListVector> labels,
      Optional<VarCharVector> adapters) {
    this.prompts = prompts;
    this.keys = keys;
    this.labels = labels;
    this.adapters = adapters;
  }

  /**
   * @throws IllegalArgumentException if a column is missing or has another type
   */
  static InputReader of(VectorSchemaRoot rows) {
    return new InputReader(
        prompts(rows),
        optional(rows, ArrowRows.KEY, "utf8", VarCharVector.class::isInstance)
            .map(VarCharVector.class::cast),
        optional(rows, ArrowRows.LABELS, "list of utf8", InputReader::isTextList)
            .map(ListVector.class::cast),
        optional(rows, ArrowRows.ADAPTER, "utf8", VarCharVector.class::isInstance)
            .map(VarCharVector.class::cast));
  }

  /** Hands row {@code row} to the engine, or answers for it where there is nothing to hand over. */
  RowAnswer submit(int row, Engine engine) throws InterruptedException {
    Prompt prompt = prompts.at(row);
    if (prompt instanceof Prompt.Missing missing) {
      return refuse(missing.code(), missing.message());
    }
    Optional<List<String>> candidates = labels.isEmpty() ? Optional.of(List.of()) : labels(row);
    if (candidates.isEmpty()) {
      return refuse(RowErrorCode.BAD_LABELS, "the list of labels holds a null");
    }
    String key = keys.flatMap(texts -> text(texts, row)).orElse("");
    String adapter = adapters.flatMap(texts -> text(texts, row)).orElse("");
    return engine.submit(
        new RowRequest(((Prompt.Given) prompt).input(), key, candidates.get(), adapter));
  }

  private static Prompts prompts(VectorSchemaRoot rows) {
    List<Prompts> found = new ArrayList<>();
    texts(rows, ArrowRows.TEXT).map(InputReader::texts).ifPresent(found::add);
    texts(rows, ArrowRows.MESSAGES).map(InputReader::conversations).ifPresent(found::add);
    FieldVector ids = rows.getVector(ArrowRows.INPUT_IDS);
    FieldVector mask = rows.getVector(ArrowRows.ATTENTION_MASK);
    if (isIntegerList(ids) && (mask == null || isIntegerList(mask))) {
      found.add(tokens((ListVector) ids, Optional.ofNullable((ListVector) mask)));
    }
    if (found.size() != 1) {
      throw new IllegalArgumentException(
          "the batch has columns "
              + rows.getSchema()
              + "; expected exactly one of text and messages, both utf8, and"
              + " input_ids (with or without attention_mask), list of int32 or int64");
    }
    return found.get(0);
  }

  private static Optional<VarCharVector> texts(VectorSchemaRoot rows, String column) {
    return rows.getVector(column) instanceof VarCharVector texts
        ? Optional.of(texts)
        : Optional.empty();
  }

  private static Prompts texts(VarCharVector texts) {
    return row ->
        text(texts, row)
            .<Prompt>map(text -> new Prompt.Given(new RowInput.Text(text)))
            .orElse(new Prompt.Missing(RowErrorCode.NULL_TEXT, "the text is null"));
  }

  private static Prompts conversations(VarCharVector texts) {
    return row ->
        text(texts, row)
            .<Prompt>map(messages -> new Prompt.Given(new RowInput.Chat(messages)))
            .orElse(new Prompt.Missing(RowErrorCode.NULL_MESSAGES, "the conversation is null"));
  }

  private static Prompts tokens(ListVector ids, Optional<ListVector> mask) {
    return row -> {
      Optional<int[]> tokens = integers(ids, row);
      if (tokens.isEmpty()) {
        return new Prompt.Missing(
            RowErrorCode.NULL_TOKENS, "the token array is null or holds a null");
      }
      if (mask.isEmpty()) {
        return new Prompt.Given(new RowInput.Tokens(tokens.get(), Optional.empty()));
      }
      Optional<int[]> attention = integers(mask.get(), row);
      return attention.isEmpty()
          ? new Prompt.Missing(
              RowErrorCode.BAD_ATTENTION_MASK, "the attention mask is null or holds a null")
          : new Prompt.Given(new RowInput.Tokens(tokens.get(), attention));
    };
  }

  /** Empty if the list holds a null; no list and an empty one are no labels. */
  private Optional<List<String>> labels(int row) {
    ListVector lists = labels.orElseThrow();
    List<String> found = new ArrayList<>();
    if (lists.isNull(row)) {
      return Optional.of(found);
    }
    VarCharVector elements = (VarCharVector) lists.getDataVector();
    for (int i = lists.getElementStartIndex(row); i < lists.getElementEndIndex(row); i++) {
      Optional<String> label = text(elements, i);
      if (label.isEmpty()) {
        return Optional.empty();
      }
      found.add(label.get());
    }
    return Optional.of(found);
  }

  private static Optional<String> text(VarCharVector texts, int row) {
    return texts.isNull(row)
        ? Optional.empty()
        : Optional.of(new String(texts.get(row), StandardCharsets.UTF_8));
  }

  /** Empty for null; values beyond int become -1 or the largest int, which no vocabulary has. */
  private static Optional<int[]> integers(ListVector lists, int row) {
    if (lists.isNull(row)) {
      return Optional.empty();
    }
    BaseIntVector values = (BaseIntVector) lists.getDataVector();
    int start = lists.getElementStartIndex(row);
    int[] integers = new int[lists.getElementEndIndex(row) - start];
    for (int i = 0; i < integers.length; i++) {
      if (values.isNull(start + i)) {
        return Optional.empty();
      }
      long value = values.getValueAsLong(start + i);
      integers[i] = (int) Math.max(-1, Math.min(value, Integer.MAX_VALUE));
    }
    return Optional.of(integers);
  }

  private static boolean isIntegerList(FieldVector vector) {
    return vector instanceof ListVector list && list.getDataVector() instanceof BaseIntVector;
  }

  private static boolean isTextList(FieldVector vector) {
    return vector instanceof ListVector list && list.getDataVector() instanceof VarCharVector;
  }

  private static Optional<FieldVector> optional(
      VectorSchemaRoot rows, String column, String type, Predicate<FieldVector> fits) {
    Optional<FieldVector> found = Optional.ofNullable(rows.getVector(column));
    if (found.isPresent() && !fits.test(found.get())) {
      throw new IllegalArgumentException(
          "column " + column + " is " + found.get().getField() + ", expected " + type);
    }
    return found;
  }

  private static RowAnswer refuse(RowErrorCode code, String message) {
    return RowAnswer.refused(new RowOutcome.Failed(code, message, OptionalInt.empty()));
  }
}
