package io.sirocco.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SkewedRowsTest {
  @TempDir private Path folder;

  @Test
  void manyAreShortAndFewVeryLong() {
    int[] lengths = SkewedRows.lengths(640, new SplittableRandom(1));
    int[] sorted = lengths.clone();
    Arrays.sort(sorted);

    assertThat(sorted[320]).isBetween(70, 74);
    assertThat(Arrays.stream(lengths).average().orElseThrow()).isBetween(110.0, 140.0);
    assertThat(Arrays.stream(lengths).filter(length -> length > 1000).count()).isBetween(4L, 10L);
    assertThat(lengths).isNotEqualTo(sorted);
  }

  @Test
  void fewRowsHaveTheShapeOfMany() {
    double few = Arrays.stream(lengths(64)).average().orElseThrow();
    double many = Arrays.stream(lengths(4096)).average().orElseThrow();

    assertThat(few / many).isBetween(0.9, 1.1);
    assertThat(Arrays.stream(lengths(64)).max().orElseThrow()).isGreaterThan(1000);
  }

  @Test
  void textsHaveAsManyTokensAsWereDrawn() throws IOException {
    SyntheticCheckpoint.write(folder, Geometry.TINY, 1);
    SkewedRows rows = SkewedRows.of(folder, 64);
    int[] expected = lengths(64);

    assertThat(rows.texts()).hasSize(64);
    int[] found = rows.ids().stream().mapToInt(ids -> ids.length).toArray();
    Arrays.sort(expected);
    Arrays.sort(found);
    assertThat(found).isEqualTo(expected);
    assertThat(rows.tokens()).isEqualTo(Arrays.stream(expected).sum());
    assertThat(rows.ids()).allSatisfy(ids -> assertThat(ids[0]).isEqualTo(1));
    assertThat(SkewedRows.of(folder, 64).texts()).isEqualTo(rows.texts());
  }

  @Test
  void aWordIsOneTokenWhateverStandsBesideIt() throws IOException {
    SyntheticCheckpoint.write(folder, Geometry.TINY, 1);
    List<int[]> ids = SkewedRows.of(folder, 200).ids();
    List<String> texts = SkewedRows.of(folder, 200).texts();

    for (int row = 0; row < ids.size(); row++) {
      assertThat(ids.get(row)).hasSize(1 + texts.get(row).length() / 4);
    }
  }

  private static int[] lengths(int rows) {
    return SkewedRows.lengths(rows, new SplittableRandom(1));
  }
}
