package io.sirocco.arrow;

import io.sirocco.engine.Engine;
import io.sirocco.engine.RowErrorCode;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

/** Reads the rows of one input batch. */
abstract class InputReader {

  /** Hands row {@code row} to the engine, or answers for it where there is nothing to hand over. */
  abstract Future<RowOutcome> submit(int row, Engine engine) throws InterruptedException;

  static InputReader of(VectorSchemaRoot rows) {
    FieldVector text = rows.getVector(ArrowClassifier.TEXT);
    if (text instanceof VarCharVector texts) {
      return new Texts(texts);
    }
    FieldVector ids = rows.getVector(ArrowClassifier.INPUT_IDS);
    FieldVector mask = rows.getVector(ArrowClassifier.ATTENTION_MASK);
    if (text == null && isIntegerList(ids) && (mask == null || isIntegerList(mask))) {
      return new Tokens((ListVector) ids, Optional.ofNullable((ListVector) mask));
    }
    throw new IllegalArgumentException(
        "the batch has columns "
            + rows.getSchema()
            + "; expected "
            + ArrowClassifier.TEXT
            + " utf8, or "
            + ArrowClassifier.INPUT_IDS
            + " (and "
            + ArrowClassifier.ATTENTION_MASK
            + ") list of int32 or int64");
  }

  private static boolean isIntegerList(FieldVector vector) {
    return vector instanceof ListVector list && list.getDataVector() instanceof BaseIntVector;
  }

  private static Future<RowOutcome> refuse(RowErrorCode code, String message) {
    return CompletableFuture.completedFuture(
        new RowOutcome.Failed(code, message, OptionalInt.empty()));
  }

  private static final class Texts extends InputReader {
    private final VarCharVector texts;

    Texts(VarCharVector texts) {
      this.texts = texts;
    }

    @Override
    Future<RowOutcome> submit(int row, Engine engine) throws InterruptedException {
      if (texts.isNull(row)) {
        return refuse(RowErrorCode.NULL_TEXT, "the text is null");
      }
      return engine.submit(
          RowRequest.of(new RowInput.Text(new String(texts.get(row), StandardCharsets.UTF_8))));
    }
  }

  private static final class Tokens extends InputReader {
    private final ListVector ids;
    private final Optional<ListVector> mask;

    Tokens(ListVector ids, Optional<ListVector> mask) {
      this.ids = ids;
      this.mask = mask;
    }

    @Override
    Future<RowOutcome> submit(int row, Engine engine) throws InterruptedException {
      Optional<int[]> tokens = integers(ids, row);
      if (tokens.isEmpty()) {
        return refuse(RowErrorCode.NULL_TOKENS, "the token array is null or holds a null");
      }
      if (mask.isEmpty()) {
        return engine.submit(RowRequest.of(new RowInput.Tokens(tokens.get(), Optional.empty())));
      }
      Optional<int[]> attention = integers(mask.get(), row);
      if (attention.isEmpty()) {
        return refuse(
            RowErrorCode.BAD_ATTENTION_MASK, "the attention mask is null or holds a null");
      }
      return engine.submit(RowRequest.of(new RowInput.Tokens(tokens.get(), attention)));
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
  }
}
