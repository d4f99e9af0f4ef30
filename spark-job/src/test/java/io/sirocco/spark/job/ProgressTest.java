package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {

  @Test
  void theLineSaysHowFarHowFastAndHowLong() {
    assertThat(Progress.line(250, 1000, 3, 50_000, 20))
        .isEqualTo("250 of 1,000 rows (25%), 3 failed, 50,000 tokens, 2,500 tokens/s, 1m00s left");
  }

  @Test
  void noTimeIsLeftBeforeTheFirstRowAndAfterTheLast() {
    assertThat(Progress.line(0, 1000, 0, 0, 5))
        .isEqualTo("0 of 1,000 rows (0%), 0 tokens, 0 tokens/s");
    assertThat(Progress.line(10, 10, 0, 100, 5))
        .isEqualTo("10 of 10 rows (100%), 100 tokens, 20 tokens/s");
    assertThat(Progress.line(0, 0, 0, 0, 1)).startsWith("0 of 0 rows (100%)");
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
