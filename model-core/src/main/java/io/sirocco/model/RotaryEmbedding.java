package io.sirocco.model;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/**
 * Tables of the rotary embedding: cos and sin of position times frequency, for each position of a
 * row. Most models have one set of frequencies; where they depend on the row's length (dynamic,
 * longrope), each set has a table of its own, and few are kept.
 */
final class RotaryEmbedding {
  private static final int KEPT = 8;
  private static final int FEWEST_POSITIONS = 512;

  private final RotaryFrequencies frequencies;
  private final Deque<Table> tables = new ArrayDeque<>();

  /**
   * @param inverseFrequencies {@code [headDim / 2]}
   * @param factor the attention factor
   * @param cos {@code [positions][headDim / 2]}, the attention factor included
   * @param sin likewise
   */
  @SuppressWarnings("ArrayRecordComponent") // tables, never compared
  record Table(float[] inverseFrequencies, float factor, float[][] cos, float[][] sin) {

    boolean of(float[] inverse, float attentionFactor) {
      return factor == attentionFactor && Arrays.equals(inverseFrequencies, inverse);
    }

    /** One row of cos for each position. */
    float[][] cos(int[] positions) {
      return rows(cos, positions);
    }

    /** One row of sin for each position. */
    float[][] sin(int[] positions) {
      return rows(sin, positions);
    }

    private static float[][] rows(float[][] table, int[] positions) {
      float[][] rows = new float[positions.length][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = table[positions[i]];
      }
      return rows;
    }
  }

  RotaryEmbedding(RotaryFrequencies frequencies) {
    this.frequencies = frequencies;
  }

  /** The table for a row of so many tokens; covers at least its positions. */
  Table table(int rowLength) {
    float[] inverse = frequencies.inverseFrequencies(rowLength);
    float factor = frequencies.attentionFactor();
    Optional<Table> known = tables.stream().filter(table -> table.of(inverse, factor)).findFirst();
    if (known.isPresent() && known.get().cos().length >= rowLength) {
      return known.get();
    }
    known.ifPresent(tables::remove);
    Table table = grown(inverse, factor, rowLength);
    tables.addFirst(table);
    if (tables.size() > KEPT) {
      tables.removeLast();
    }
    return table;
  }

  private static Table grown(float[] inverse, float factor, int rowLength) {
    int positions = Math.max(FEWEST_POSITIONS, rowLength + rowLength / 4);
    float[][] cos = new float[positions][inverse.length];
    float[][] sin = new float[positions][inverse.length];
    for (int position = 0; position < positions; position++) {
      RotaryFrequencies.fill(position, inverse, factor, cos[position], sin[position]);
    }
    return new Table(inverse, factor, cos, sin);
  }
}
