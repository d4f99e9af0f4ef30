package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;

/** Products with adapters, in double precision and by their bits. */
final class LowRankChecks {
  private static final float SCALING = 0.7f;

  private final RowInvariance.Opener opener;
  private final Precision precision;
  private final long seed;

  LowRankChecks(RowInvariance.Opener opener, Precision precision, long seed) {
    this.opener = opener;
    this.precision = precision;
    this.seed = seed;
  }

  /** A branch with its matrices, as they are stored. */
  @SuppressWarnings("ArrayRecordComponent") // operands, never compared
  private record Branch(LowRank prepared, float[][] a, float[][] b) {
    static Branch of(KernelsFixture fixture, Random random, int n, int k, int rank) {
      float[][] a = KernelsFixture.random(random, rank, k);
      float[][] b = KernelsFixture.random(random, n, rank);
      LowRank prepared =
          fixture.kernels.lowRank(
              SafetensorsFile.matrix(ElementType.F32, a, rank),
              SafetensorsFile.matrix(ElementType.F32, b, n),
              SCALING);
      return new Branch(prepared, a, b);
    }
  }

  void matchDoublePrecision() {
    for (int[] size :
        new int[][] {{6, 48, 1}, {150, 72, 3}, {48, 1000, 8}, {256, 128, 17}, {8, 33_000, 2}}) {
      int[] counts = size[1] > 1000 ? new int[] {1, 3} : new int[] {1, 2, 3, 17, 33, 300};
      for (int rows : counts) {
        try (KernelsFixture fixture = opener.open(precision, 2)) {
          for (ElementType type : EnumSet.of(fixture.type(), ElementType.F32)) {
            check(fixture, type, size, rows);
          }
        }
      }
    }
  }

  private void check(KernelsFixture fixture, ElementType type, int[] size, int rows) {
    int n = size[0];
    int k = size[1];
    Random random = new Random(seed + rows);
    Branch branch = Branch.of(fixture, random, n, k, size[2]);
    Matrix x = fixture.matrix(type, KernelsFixture.random(random, rows, k));
    float[][] before = KernelsFixture.random(random, rows, n);
    Matrix out = fixture.matrix(ElementType.F32, before);
    fixture.kernels.addLowRank(x, branch.prepared(), out);
    float[][] inputs = KernelsFixture.read(x);
    float[][] got = KernelsFixture.read(out);
    for (int m = 0; m < rows; m++) {
      for (int i = 0; i < n; i++) {
        double value = before[m][i];
        double magnitude = Math.abs(value);
        for (int r = 0; r < size[2]; r++) {
          double between = 0;
          double sizeBetween = 0;
          for (int j = 0; j < k; j++) {
            between += (double) inputs[m][j] * branch.a()[r][j];
            sizeBetween += Math.abs((double) inputs[m][j] * branch.a()[r][j]);
          }
          value += between * branch.b()[i][r] * SCALING;
          magnitude += sizeBetween * Math.abs(branch.b()[i][r]) * SCALING;
        }
        double error = Reference.sumError(k + size[2] + 2, magnitude);
        assertThat(Math.abs(got[m][i] - value))
            .as("row %d of %d, output %d, x %s, seed %d", m, rows, i, type, seed)
            .isLessThanOrEqualTo(error + Reference.storeError(Precision.FLOAT32, magnitude));
      }
    }
  }

  /** In the midst of a matrix, where rows have no slack, as alone; rows beside stay as they are. */
  void bitsOfRowDependOnThatRowAlone(int n, int k, int rank) {
    Random random = new Random(seed);
    float[][] probe = KernelsFixture.random(random, 1, k);
    float[][] probeOut = KernelsFixture.random(random, 1, n);
    float[] alone = {};
    for (int threads : new int[] {1, 2}) {
      for (int count : new int[] {1, 2, 3, 4, 7, 33, 64, 255, 256, 300}) {
        float[][] x = KernelsFixture.random(random, count + 2, k);
        float[][] more = KernelsFixture.random(random, count + 2, n);
        for (int place : new int[] {1, (count + 1) / 2, count}) {
          x[place] = probe[0];
          more[place] = probeOut[0];
        }
        try (KernelsFixture fixture = opener.open(precision, threads)) {
          Branch branch = Branch.of(fixture, new Random(seed), n, k, rank);
          Matrix out = fixture.matrix(ElementType.F32, more);
          fixture.kernels.addLowRank(
              fixture.matrix(fixture.type(), x).slice(1, count),
              branch.prepared(),
              out.slice(1, count));
          float[][] got = KernelsFixture.read(out);
          assertThat(got[0]).isEqualTo(more[0]);
          assertThat(got[count + 1]).isEqualTo(more[count + 1]);
          for (int place : new int[] {1, (count + 1) / 2, count}) {
            alone = alone.length == 0 ? got[place] : alone;
            assertThat(got[place])
                .as("row %d of %d, %d threads, seed %d", place, count, threads, seed)
                .isEqualTo(alone);
          }
        }
      }
    }
  }

  /** As of down_proj of a wide model, where a product's sum is long and its result small. */
  void bitsOfLongSumsDependOnNoThreads() {
    int n = 24;
    int k = 32_768 + 40;
    Random random = new Random(seed);
    float[][] x = KernelsFixture.random(random, 128, k);
    float[][] more = KernelsFixture.random(random, 128, n);
    float[][] want = {};
    for (int threads : new int[] {1, 2, 4}) {
      try (KernelsFixture fixture = opener.open(precision, threads)) {
        Branch branch = Branch.of(fixture, new Random(seed), n, k, 3);
        for (int count : new int[] {128, 64, 17, 2, 1}) {
          Matrix out = fixture.matrix(ElementType.F32, Arrays.copyOf(more, count));
          Matrix in = fixture.matrix(fixture.type(), Arrays.copyOf(x, count));
          fixture.kernels.addLowRank(in, branch.prepared(), out);
          float[][] got = KernelsFixture.read(out);
          want = want.length == 0 ? got : want;
          assertThat(got)
              .as("%d rows, %d threads, seed %d", count, threads, seed)
              .isDeepEqualTo(Arrays.copyOf(want, count));
        }
      }
    }
  }

  void activationsMatchDoublePrecisionAndDependOnTheRowAlone() {
    for (Activation act : Activation.values()) {
      float[] alone = {};
      for (int rows : new int[] {1, 2, 3, 33}) {
        try (KernelsFixture fixture = opener.open(precision, 2)) {
          float[][] gate = KernelsFixture.random(new Random(seed), rows, 150);
          float[][] up = KernelsFixture.random(new Random(seed + 1), rows, 150);
          Matrix out = fixture.empty(precision.feedForward(), rows, 150);
          fixture.kernels.activate(
              fixture.matrix(ElementType.F32, gate), fixture.matrix(ElementType.F32, up), act, out);
          float[][] got = KernelsFixture.read(out);
          alone = alone.length == 0 ? got[0] : alone;
          assertThat(got[0]).as("%s of %d rows", act, rows).isEqualTo(alone);
          Precision store = out.type() == ElementType.F32 ? Precision.FLOAT32 : Precision.BFLOAT16;
          for (int m = 0; m < rows; m++) {
            for (int n = 0; n < 150; n++) {
              double want = Reference.activation(act, gate[m][n]) * up[m][n];
              double error = 0x1p-20 * Math.max(1, Math.abs(gate[m][n])) * Math.abs(up[m][n]);
              assertThat(Math.abs(got[m][n] - want))
                  .as("%s of %s by %s", act, gate[m][n], up[m][n])
                  .isLessThanOrEqualTo(error + Reference.storeError(store, Math.abs(want) + error));
            }
          }
        }
      }
    }
  }

  void roundingIsToNearestEven() {
    try (KernelsFixture fixture = opener.open(precision, 2)) {
      float[][] values = KernelsFixture.random(new Random(seed), 33, 150);
      values[0] = Arrays.copyOf(new float[] {1f, 0x1.01p0f, 0x1.03p0f, 0f, -0f, 3e38f}, 150);
      Matrix out = fixture.empty(fixture.type(), 33, 150);
      fixture.kernels.round(fixture.matrix(ElementType.F32, values), out);
      Matrix want = fixture.matrix(fixture.type(), values);
      assertThat(KernelsFixture.read(out)).isDeepEqualTo(KernelsFixture.read(want));
    }
  }
}
