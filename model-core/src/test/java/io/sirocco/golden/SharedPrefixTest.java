package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.model.PrefixKeys;
import io.sirocco.model.PrefixedRow;
import io.sirocco.model.SharedPrefix;
import io.sirocco.model.TokenRow;
import io.sirocco.model.TokenTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows behind a shared prefix have the bits they have when all of them is computed. */
class SharedPrefixTest {
  private static final long SEED = 20261126;
  private static final int[] PREFIXES = {17, 50, 128, 200, 400, 515};
  private static final int[] OWN = {2, 60, 130};

  /** Beyond the end of one piece of a row, which has 2048 tokens. */
  private static final int[] LONG_PREFIXES = {2047, 2100};

  @ParameterizedTest(name = "{0} on {1}, {2}")
  @MethodSource("models")
  void everyCutOfARowHasTheSameBits(GoldenFolder folder, With with, Precision precision) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, precision)) {
      int checked = 0;
      for (int prefix : PREFIXES) {
        checked += check(model, prefix, OWN);
      }
      if (folder.toString().contains("rope-dynamic")) {
        // Rows are longer than its positions, and each length has its own rotation.
        assertThat(checked).isZero();
      } else {
        assertThat(checked).isGreaterThan(PREFIXES.length * OWN.length);
      }
    }
  }

  @ParameterizedTest(name = "{0} on {1}, {2}")
  @MethodSource("fewModels")
  void soHaveRowsOfSeveralPieces(GoldenFolder folder, With with, Precision precision) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, precision)) {
      for (int prefix : LONG_PREFIXES) {
        assertThat(check(model, prefix, new int[] {2, 60})).isPositive();
      }
    }
  }

  /** All rows in one batch, in an order that mixes them; how many have taken something over. */
  private static int check(GoldenModel model, int length, int[] own) {
    Random random = new Random(SEED + length);
    int[] prefix = ids(model, random, length);
    SharedPrefix shared = new SharedPrefix(model.model().config(), prefix);
    List<TokenRow> rows = new ArrayList<>();
    for (int more : own) {
      // Begin with a part of it only.
      rows.add(TokenRow.of(joined(prefix, length * 2 / 3, ids(model, random, more))));
      rows.add(TokenRow.of(joined(prefix, length - 1, ids(model, random, more + 1))));
      rows.add(TokenRow.of(joined(prefix, length, ids(model, random, more))));
      rows.add(TokenRow.of(ids(model, random, more)));
      rows.add(tree(joined(prefix, length, ids(model, random, more)), random));
    }
    List<Integer> takenOver = new ArrayList<>();
    for (TokenRow row : rows) {
      int trunk = row.length() - (row.tree().isPresent() ? 5 : 0);
      takenOver.add(shared.sharedBy(row.ids(), trunk - 1));
    }
    List<float[][]> whole = new ArrayList<>();
    for (TokenRow row : rows) {
      whole.add(read(model.decoder().forward(List.of(row))));
    }
    PrefixKeys.Memory memory =
        new PrefixKeys.Memory(
            model.model().config(), model.kernels().precision(), model.allocator());
    try (PrefixKeys keys = new PrefixKeys(shared, model.decoder(), memory)) {
      List<PrefixedRow> behind = new ArrayList<>();
      for (int row = 0; row < rows.size(); row++) {
        int taken = takenOver.get(row);
        int rowLength = rows.get(row).length();
        behind.add(
            taken == 0
                ? PrefixedRow.whole(rows.get(row))
                : new PrefixedRow(
                    rows.get(row),
                    taken,
                    Optional.of(keys.of(taken, rowLength)),
                    Optional.empty()));
        assertThat(taken == 0 ? 0 : keys.missing(taken, rowLength)).isZero();
      }
      float[][] together = read(model.decoder().forwardBehind(behind));
      int token = 0;
      for (int row = 0; row < rows.size(); row++) {
        for (int at = takenOver.get(row); at < rows.get(row).length(); at++) {
          assertThat(together[token++])
              .as("prefix %d, row %d, token %d, seed %d", length, row, at, SEED)
              .isEqualTo(whole.get(row)[at]);
        }
      }
    }
    return (int) takenOver.stream().filter(taken -> taken > 0).count();
  }

  /** Keys and values of all variants fit into the memory that is planned for them. */
  @ParameterizedTest(name = "{0} on {1}, {2}")
  @MethodSource("fewModels")
  void noPrefixTakesMoreThanPlanned(GoldenFolder folder, With with, Precision precision) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, precision)) {
      Random random = new Random(SEED);
      for (int length : new int[] {16, 31, 47, 63, 64, 65, 127, 128, 129, 448, 511}) {
        SharedPrefix shared = new SharedPrefix(model.model().config(), ids(model, random, length));
        long planned = shared.bytes(precision);
        assertThat(planned)
            .isLessThanOrEqualTo(SharedPrefix.mostBytes(model.model().config(), precision, length));
        try (BufferAllocator limited = model.allocator().newChildAllocator("p", 0, planned);
            PrefixKeys keys =
                new PrefixKeys(
                    shared,
                    model.decoder(),
                    new PrefixKeys.Memory(model.model().config(), precision, limited))) {
          keys.of(0, 1);
          for (int row = length + 2; row < length + 300; row += 7) {
            assertThat(keys.of(length, row).length()).isEqualTo(length);
          }
          assertThat(limited.getAllocatedMemory()).isPositive();
        }
      }
    }
  }

  /** As rows are written: chunks of 512 tokens, then token by token. */
  @ParameterizedTest(name = "{0} on {1}, {2}")
  @MethodSource("models")
  void cachesThatBeginWithThePrefixGoOnWithTheSameBits(
      GoldenFolder folder, With with, Precision precision) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, precision)) {
      Random random = new Random(SEED);
      for (int length : new int[] {20, 400, 600}) {
        int[] prefix = ids(model, random, length);
        SharedPrefix shared = new SharedPrefix(model.model().config(), prefix);
        PrefixKeys.Memory memory =
            new PrefixKeys.Memory(model.model().config(), precision, model.allocator());
        try (PrefixKeys keys = new PrefixKeys(shared, model.decoder(), memory)) {
          for (int own : new int[] {2, 40, 500}) {
            int[] row = joined(prefix, length, ids(model, random, own));
            int taken = shared.sharedBy(row, row.length);
            if (taken > 0) {
              assertThat(written(model, row, Optional.of(keys.of(taken, row.length)), taken))
                  .as("prefix %d, own %d, seed %d", length, own, SEED)
                  .isDeepEqualTo(written(model, row, Optional.empty(), 0));
            }
          }
        }
      }
    }
  }

  /** The hidden states of the last prompt token and of eight more. */
  private static float[][] written(
      GoldenModel model, int[] row, Optional<KvCache> prefix, int taken) {
    float[][] states = new float[9][];
    try (KvCache cache =
        KvCache.allocate(
            model.model().config(),
            model.kernels().precision(),
            row.length + 8,
            model.allocator())) {
      prefix.ifPresent(keys -> cache.begin(keys, taken));
      int from = taken;
      while (from < row.length) {
        int end = Math.min(row.length, (from / 512 + 1) * 512);
        int[] some = Arrays.copyOfRange(row, from, end);
        float[][] read =
            read(model.decoder().step(List.of(new Continuation(cache, some, row.length))));
        states[0] = read[read.length - 1];
        from = end;
      }
      for (int step = 1; step < states.length; step++) {
        states[step] = read(model.decoder().step(List.of(Continuation.of(cache, 3 + step))))[0];
      }
    }
    return states;
  }

  /** Five tokens behind the prompt, two of which follow the third. */
  private static TokenRow tree(int[] prompt, Random random) {
    int trunk = prompt.length;
    int[] all = Arrays.copyOf(prompt, trunk + 5);
    for (int i = trunk; i < all.length; i++) {
      all[i] = prompt[random.nextInt(trunk)];
    }
    int[] parents = {trunk - 1, trunk - 1, trunk + 1, trunk + 2, trunk + 2};
    return new TokenRow(all, Optional.empty(), Optional.of(new TokenTree(trunk, parents)));
  }

  private static int[] ids(GoldenModel model, Random random, int count) {
    return random.ints(count, 3, model.model().config().vocabSize()).toArray();
  }

  private static int[] joined(int[] prefix, int length, int[] own) {
    int[] row = Arrays.copyOf(prefix, length + own.length);
    System.arraycopy(own, 0, row, length, own.length);
    return row;
  }

  private static float[][] read(Matrix residual) {
    float[][] rows = new float[residual.rows()][residual.columns()];
    for (int row = 0; row < rows.length; row++) {
      residual.readRow(row, rows[row]);
    }
    return rows;
  }

  /** Window 8 and none, every form of attention, rotation by the row's length, bfloat16. */
  static Stream<Arguments> models() {
    return arguments(List.of("causal-nemo", "rope-dynamic", "rope-yarn", "seqcls-nopad"));
  }

  static Stream<Arguments> fewModels() {
    return arguments(List.of("causal-nemo", "rope-yarn"))
        .filter(arguments -> arguments.get()[1] == With.ONEDNN);
  }

  private static Stream<Arguments> arguments(List<String> names) {
    List<Precision> precisions =
        OneDnnKernels.multipliesBfloat16()
            ? List.of(Precision.FLOAT32, Precision.BFLOAT16)
            : List.of(Precision.FLOAT32);
    return GoldenFolder.below(GoldenFolder.OWN).stream()
        .filter(folder -> names.stream().anyMatch(folder.toString()::contains))
        .flatMap(
            folder ->
                Stream.of(With.values())
                    .flatMap(
                        with ->
                            precisions.stream()
                                // Plain Java is slow, and computes both alike.
                                .filter(p -> with == With.ONEDNN || p == Precision.FLOAT32)
                                .map(precision -> Arguments.of(folder, with, precision))));
  }
}
