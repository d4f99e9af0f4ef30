package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.model.EmbeddingForm;
import io.sirocco.model.EmbeddingHead;
import io.sirocco.model.Pooling;
import io.sirocco.model.PrefixedRow;
import io.sirocco.model.TokenRow;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Embeddings against those of transformers' MistralModel, padded on either side or not at all. */
class GoldenEmbeddingTest {

  /** What the reference calls it, and what makes it here. */
  private record Wanted(String name, Pooling pooling, boolean normalize) {}

  private static final List<Wanted> WANTED =
      List.of(
          new Wanted("last_token", Pooling.LAST, false),
          new Wanted("last_token_l2", Pooling.LAST, true),
          new Wanted("mean", Pooling.MEAN, false),
          new Wanted("mean_l2", Pooling.MEAN, true));

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("embedders")
  void embeddingsAreTheReferences(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      int checked = 0;
      for (JsonNode golden : folder.casesOf("embed")) {
        List<TokenRow> rows = GoldenFolder.rows(golden);
        for (Wanted wanted : WANTED) {
          float[][] got = embeddings(model, rows, wanted);
          for (int row = 0; row < rows.size(); row++) {
            String what = golden.path("name").asText() + " row " + row + " " + wanted.name();
            assertClose(folder, what, got[row], golden.path(wanted.name()).get(row));
            checked++;
          }
        }
      }
      assertThat(checked).isGreaterThanOrEqualTo(4 * 8);
    }
  }

  @Test
  void whatTheReferenceSaysIsThere() {
    assertThat(embedders().toList()).hasSizeGreaterThanOrEqualTo(With.values().length);
  }

  private static float[][] embeddings(GoldenModel model, List<TokenRow> rows, Wanted wanted) {
    Matrix residual = model.decoder().forward(rows);
    EmbeddingForm form =
        new EmbeddingForm(
            wanted.pooling(), model.model().config().hiddenSize(), wanted.normalize());
    return new EmbeddingHead(model.model(), form)
        .embeddings(rows.stream().map(PrefixedRow::whole).toList(), residual, model.allocator());
  }

  private static void assertClose(GoldenFolder folder, String what, float[] got, JsonNode want) {
    float[] wanted = GoldenFolder.floats(want);
    assertThat(got).as(what).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.length; i++) {
      assertThat(Math.abs((double) got[i] - wanted[i]))
          .as("%s, element %d: %s, the reference has %s", what, i, got[i], wanted[i])
          .isLessThanOrEqualTo(folder.tolerance(wanted[i]));
    }
  }

  static Stream<Arguments> embedders() {
    return GoldenModelTest.folders()
        .filter(folder -> !folder.casesOf("embed").isEmpty())
        .flatMap(folder -> Stream.of(With.values()).map(with -> arguments(folder, with)));
  }
}
