package io.sirocco.bench;

import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Rows as real data has them: many short, few very long. Half of them are shorter than 72 tokens,
 * the mean is about 125, of 64 rows one has more than 1,000. The lengths are quantiles of a
 * log-logistic distribution, so that few rows have the same shape as many; order and texts come
 * from a fixed seed.
 *
 * @param texts of the rows
 * @param ids of each text, as the model's own tokenizer gives them
 */
public record SkewedRows(List<String> texts, List<int[]> ids) {
  private static final double MEDIAN = 72;
  private static final double SHAPE = 0.55;
  private static final int SHORTEST = 4;
  private static final int LONGEST = 2048;
  private static final int SEED = 1;
  private static final int SAMPLE_WORDS = 256;

  public SkewedRows {
    texts = List.copyOf(texts);
    ids = List.copyOf(ids);
  }

  /** So many rows for the model in that folder. */
  public static SkewedRows of(Path checkpoint, int rows) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Tokenizer tokenizer = Tokenizer.open(checkpoint, SpecialTokenText.LITERAL)) {
      int added = tokenizer.encode("a").prefix() + tokenizer.encode("a").suffix();
      // One where the tokenizer is the synthetic one; others have tokens of other lengths.
      double tokensPerWord =
          (tokenizer.encode(SyntheticTokenizer.text(SAMPLE_WORDS, random)).length() - added)
              / (double) SAMPLE_WORDS;
      List<String> texts = new ArrayList<>();
      List<int[]> ids = new ArrayList<>();
      for (int length : lengths(rows, random)) {
        int words = Math.max(1, (int) Math.round((length - added) / tokensPerWord));
        texts.add(SyntheticTokenizer.text(words, random));
        ids.add(tokenizer.encode(texts.get(texts.size() - 1)).ids());
      }
      return new SkewedRows(texts, ids);
    }
  }

  static int[] lengths(int rows, SplittableRandom random) {
    int[] lengths = new int[rows];
    for (int row = 0; row < rows; row++) {
      double share = (row + 0.5) / rows;
      double length = MEDIAN * Math.pow(share / (1 - share), SHAPE);
      lengths[row] = (int) Math.round(Math.max(SHORTEST, Math.min(LONGEST, length)));
    }
    for (int row = rows - 1; row > 0; row--) {
      int other = random.nextInt(row + 1);
      int length = lengths[row];
      lengths[row] = lengths[other];
      lengths[other] = length;
    }
    return lengths;
  }

  /** Of each row, in tokens. */
  public IntStream rowLengths() {
    return ids.stream().mapToInt(row -> row.length);
  }

  /** Of all rows together. */
  public long tokens() {
    return ids.stream().mapToLong(row -> row.length).sum();
  }
}
