package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.TokenRow;
import io.sirocco.model.TokenTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows computed in steps behind a cache, and in trees, have the logits they have in one pass. */
class CachedDecodingTest {
  private static final long SEED = 20261125;
  private static final float TOLERANCE = 2e-4f;

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("causal")
  void stepsOfAnyLengthEqualOnePass(GoldenFolder folder, With with) {
    Random random = new Random(SEED);
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      int window = Math.min(model.model().config().slidingWindow().orElse(40), 40);
      for (int length : new int[] {1, window - 1, window, window + 1, 2 * window + 3, 300}) {
        int[] ids = random.ints(length, 3, model.model().config().vocabSize()).toArray();
        float[][] whole = logits(model, model.decoder().forward(List.of(TokenRow.of(ids))));
        for (int step : new int[] {1, 2, 5, 16, 128, length}) {
          float[][] stepped = inSteps(model, ids, step);
          for (int token = 0; token < length; token++) {
            String what = "%s, %d tokens in steps of %d, token %d, seed %d";
            assertThat(distance(stepped[token], whole[token]))
                .as(what, folder, length, step, token, SEED)
                .isLessThanOrEqualTo(TOLERANCE);
          }
        }
      }
    }
  }

  /** As many bytes behind the window as at its end, and the same logits whatever runs beside. */
  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("causal")
  void rowsOfAStepDoNotTouchEachOther(GoldenFolder folder, With with) {
    Random random = new Random(SEED);
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      List<int[]> rows = new ArrayList<>();
      for (int length : new int[] {1, 3, 9, 20, 130, 17}) {
        rows.add(random.ints(length, 3, model.model().config().vocabSize()).toArray());
      }
      List<float[][]> alone = new ArrayList<>();
      for (int[] ids : rows) {
        alone.add(prefillThenDecode(model, List.of(ids)).get(0));
      }
      List<float[][]> together = prefillThenDecode(model, rows);
      for (int row = 0; row < rows.size(); row++) {
        assertThat(together.get(row)).as("row %d", row).isDeepEqualTo(alone.get(row));
      }
    }
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("causal")
  void branchesOfATreeEqualRowsOfTheirOwn(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      for (JsonNode golden : folder.casesOf("score")) {
        int[] prompt = GoldenFolder.integers(golden.path("prompt_ids"));
        Tree tree = Tree.of(prompt);
        golden.path("continuations").forEach(label -> tree.add(GoldenFolder.integers(label)));
        float[][] logits = logits(model, model.decoder().forward(List.of(tree.row())));
        for (int label = 0; label < golden.path("continuations").size(); label++) {
          int[] path = tree.paths.get(label);
          int[] ids = GoldenFolder.integers(golden.path("continuations").get(label));
          for (int i = 0; i < ids.length; i++) {
            float wanted = GoldenFolder.floats(golden.path("logprobs").get(label))[i];
            assertThat(logSoftmax(logits[path[i]], ids[i]))
                .as("%s %s label %d token %d", folder, golden.path("name").asText(), label, i)
                .isCloseTo(wanted, within((double) TOLERANCE));
          }
        }
      }
    }
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("causal")
  void aCacheTakesTheSameMemoryHoweverLongTheRow(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      if (model.model().config().slidingWindow().isEmpty()) {
        return;
      }
      int window = model.model().config().slidingWindow().getAsInt();
      long atWindow = KvCache.bytes(model.model().config(), Precision.FLOAT32, window);
      long before = model.allocator().getAllocatedMemory();
      try (KvCache cache =
          KvCache.allocate(
              model.model().config(), Precision.FLOAT32, 10 * window, model.allocator())) {
        assertThat(model.allocator().getAllocatedMemory() - before).isEqualTo(atWindow);
        assertThat(cache.bytes()).isEqualTo(atWindow);
      }
    }
  }

  private static List<float[][]> prefillThenDecode(GoldenModel model, List<int[]> rows) {
    List<KvCache> caches = new ArrayList<>();
    List<float[][]> results = new ArrayList<>();
    for (int[] ids : rows) {
      caches.add(cache(model, ids.length + 4));
      results.add(new float[5][]);
    }
    List<Continuation> next = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      next.add(Continuation.of(caches.get(row), rows.get(row)));
    }
    for (int step = 0; step < 5; step++) {
      Matrix residual = model.decoder().step(next);
      float[][] logits = logits(model, residual);
      int last = -1;
      for (int row = 0; row < rows.size(); row++) {
        last += next.get(row).ids().length;
        results.get(row)[step] = logits[last];
      }
      next.clear();
      for (int row = 0; row < rows.size(); row++) {
        next.add(Continuation.of(caches.get(row), 5 + step + rows.get(row).length % 7));
        if (step == 4) {
          caches.get(row).close();
        }
      }
    }
    return results;
  }

  private static float[][] inSteps(GoldenModel model, int[] ids, int step) {
    float[][] all = new float[ids.length][];
    try (KvCache cache = cache(model, ids.length)) {
      for (int from = 0; from < ids.length; from += step) {
        int[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + step));
        Matrix residual = model.decoder().step(List.of(new Continuation(cache, some, ids.length)));
        float[][] logits = logits(model, residual);
        System.arraycopy(logits, 0, all, from, logits.length);
      }
      assertThat(cache.length()).isEqualTo(ids.length);
    }
    return all;
  }

  private static KvCache cache(GoldenModel model, int tokens) {
    return KvCache.allocate(model.model().config(), Precision.FLOAT32, tokens, model.allocator());
  }

  private static float[][] logits(GoldenModel model, Matrix residual) {
    List<Integer> all = IntStream.range(0, residual.rows()).boxed().toList();
    return new LanguageModelHead(model.model(), model.weights().lmHead())
        .logits(residual, all, model.allocator());
  }

  private static float distance(float[] got, float[] wanted) {
    float largest = 0;
    for (int i = 0; i < wanted.length; i++) {
      largest = Math.max(largest, Math.abs(got[i] - wanted[i]));
      assertThat(got[i]).isFinite();
    }
    return largest;
  }

  private static double logSoftmax(float[] logits, int id) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return logits[id] - max - Math.log(sum);
  }

  /** Continuations that share what they begin with. */
  private static final class Tree {
    private final List<Integer> ids = new ArrayList<>();
    private final List<Integer> parents = new ArrayList<>();
    private final List<int[]> paths = new ArrayList<>();
    private final int trunk;

    private Tree(int[] prompt) {
      trunk = prompt.length;
      Arrays.stream(prompt).forEach(ids::add);
    }

    static Tree of(int[] prompt) {
      return new Tree(prompt);
    }

    /** Remembers, for each token of the label, the token of the row that it follows. */
    void add(int[] label) {
      int[] path = new int[label.length];
      int at = trunk - 1;
      for (int i = 0; i < label.length; i++) {
        path[i] = at;
        at = child(at, label[i]);
      }
      paths.add(path);
    }

    private int child(int parent, int id) {
      for (int token = trunk; token < ids.size(); token++) {
        if (ids.get(token) == id && parents.get(token - trunk) == parent) {
          return token;
        }
      }
      ids.add(id);
      parents.add(parent);
      return ids.size() - 1;
    }

    TokenRow row() {
      int[] tokens = ids.stream().mapToInt(Integer::intValue).toArray();
      int[] before = parents.stream().mapToInt(Integer::intValue).toArray();
      return new TokenRow(tokens, Optional.empty(), Optional.of(new TokenTree(trunk, before)));
    }
  }

  static Stream<Arguments> causal() {
    return GoldenModelTest.folders()
        .filter(folder -> !folder.casesOf("score").isEmpty())
        .flatMap(folder -> Stream.of(With.values()).map(with -> arguments(folder, with)));
  }
}
