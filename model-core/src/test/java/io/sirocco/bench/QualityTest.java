package io.sirocco.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** On the sample models; Java's kernels compute bfloat16 anywhere. */
class QualityTest {
  private static final Path SAMPLES = Path.of("../sample-data");
  private static final List<ClassifierQuality.Row> TICKETS =
      List.of(
          row("I was charged twice for one order, please send the money back.", "billing"),
          row("The app crashes every time I open the settings.", "bug"),
          row("My parcel has not arrived, the tracking page shows nothing.", "shipping"),
          row("   ", "praise"));

  @Test
  void aPrecisionIsComparedWithFloat32() throws Exception {
    ClassifierQuality quality = new ClassifierQuality(options(), TICKETS);
    QualityResult.Labels same = quality.reference().labels().orElseThrow();
    QualityResult bfloat16 = quality.of(PrecisionChoice.BFLOAT16, "bfloat16");
    QualityResult.Labels other = bfloat16.labels().orElseThrow();

    assertThat(same.agreement()).isEqualTo(1);
    assertThat(same.meanChange()).isZero();
    assertThat(same.accuracy()).contains(1.0);
    // A blank row has no answer.
    assertThat(bfloat16.rows()).isEqualTo(3);
    assertThat(other.agreement()).isEqualTo(1);
    assertThat(other.meanChange()).isPositive().isLessThan(0.01);
    assertThat(other.largestChange()).isGreaterThanOrEqualTo(other.meanChange());
  }

  @Test
  void perplexityIsThatOfTheTextsOwnTokens() {
    String text = "[INST] Write a support ticket about billing. [/INST] The VAT number is wrong.";
    double ordered = writer(List.of(text)).reference().perplexity().orElseThrow().value();
    double shuffled =
        writer(List.of("wrong. is number VAT The [/INST] billing. about ticket support a Write"))
            .reference()
            .perplexity()
            .orElseThrow()
            .value();

    assertThat(ordered).isGreaterThan(1).isLessThan(shuffled / 3);
  }

  @Test
  void perplexityDoesNotDependOnTheBatch() {
    String one = "Classify this ticket into one of: billing, bug.";
    String two = "My parcel has not arrived, the tracking page shows nothing.";
    QualityResult first = writer(List.of(one)).reference();
    QualityResult second = writer(List.of(two)).reference();
    QualityResult both = writer(List.of(one, two)).reference();

    double logs =
        (first.tokens() - 1) * Math.log(first.perplexity().orElseThrow().value())
            + (second.tokens() - 1) * Math.log(second.perplexity().orElseThrow().value());
    assertThat(both.tokens()).isEqualTo(first.tokens() + second.tokens());
    assertThat(both.perplexity().orElseThrow().value())
        .isCloseTo(Math.exp(logs / (both.tokens() - 2)), within(1e-9));
  }

  @Test
  void aSampleWithoutAnAnswerIsRefused() {
    assertThatThrownBy(() -> writer(List.of("")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no text of the sample");
  }

  private static ClassifierQuality.Row row(String text, String label) {
    return new ClassifierQuality.Row(text, Optional.of(label));
  }

  private static WriterQuality writer(List<String> texts) {
    return new WriterQuality(SAMPLES.resolve("ticket-writer"), KernelChoice.JAVA, 1, texts, 512);
  }

  private static EngineOptions options() {
    return EngineOptions.of(SAMPLES.resolve("ticket-classifier").toString(), new Task.Classify())
        .withPrecision(PrecisionChoice.FLOAT32)
        .withKernels(KernelChoice.JAVA)
        .withBatchTokens(512)
        .withMaxTokens(512);
  }
}
