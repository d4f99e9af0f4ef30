package io.sirocco.spark.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.exec.Totals;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {

  private static Totals totals(long rows, long failed, long tokens) {
    Map<String, Long> codes = failed == 0 ? Map.of() : Map.of("too-long", failed);
    return new Totals(rows, codes, Map.of(), Map.of(), tokens, 0, 0);
  }

  @Test
  void generationCountsPromptsAndTextsApart() {
    Totals now = new Totals(5, Map.of(), Map.of(), Map.of("stop", 3L, "length", 2L), 400, 90, 0);

    assertThat(Progress.line(now, 10, 2))
        .isEqualTo(
            "5 of 10 rows (50%), 400 prompt tokens, 200 tokens/s, 90 generated tokens, 45 tokens/s,"
                + " 2s left");
  }

  @Test
  void theLineSaysHowFarHowFastAndHowLong() {
    assertThat(Progress.line(totals(250, 3, 50_000), 1000, 20))
        .isEqualTo("250 of 1,000 rows (25%), 3 failed, 50,000 tokens, 2,500 tokens/s, 1m00s left");
  }

  @Test
  void noTimeIsLeftBeforeTheFirstRowAndAfterTheLast() {
    assertThat(Progress.line(totals(0, 0, 0), 1000, 5))
        .isEqualTo("0 of 1,000 rows (0%), 0 tokens, 0 tokens/s");
    assertThat(Progress.line(totals(10, 0, 100), 10, 5))
        .isEqualTo("10 of 10 rows (100%), 100 tokens, 20 tokens/s");
    assertThat(Progress.line(totals(0, 0, 0), 0, 1)).startsWith("0 of 0 rows (100%)");
  }

  @ParameterizedTest
  @CsvSource({
    "0.4, 0s",
    "59.4, 59s",
    "59.6, 1m00s",
    "3599, 59m59s",
    "3600, 1h00m",
    "100000, 27h46m"
  })
  void durationsAreShort(double seconds, String text) {
    assertThat(Progress.duration(seconds)).isEqualTo(text);
  }
}
