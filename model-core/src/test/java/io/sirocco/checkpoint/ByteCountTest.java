package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ByteCountTest {
  @Test
  void theUnitIsTheLargestOfWhichThereIsAWholeOne() {
    assertThat(ByteCount.shown(0)).isEqualTo("0.0 MiB");
    assertThat(ByteCount.shown(3L << 19)).isEqualTo("1.5 MiB");
    assertThat(ByteCount.shown((1L << 30) - (1L << 20))).isEqualTo("1023.0 MiB");
    assertThat(ByteCount.shown(1L << 30)).isEqualTo("1.0 GiB");
    assertThat(ByteCount.shown(27L << 29)).isEqualTo("13.5 GiB");
  }
}
