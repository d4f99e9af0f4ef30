package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class EncodingTest {
  private static final Encoding TEXT = new Encoding(new int[] {1, 10, 11, 12, 2}, 1, 1);

  @Test
  void truncationOnTheRightKeepsBothEnds() {
    assertThat(TEXT.truncatedRight(4).ids()).containsExactly(1, 10, 11, 2);
    assertThat(TEXT.truncatedRight(2).ids()).containsExactly(1, 2);
  }

  @Test
  void truncationOnTheLeftKeepsBothEnds() {
    assertThat(TEXT.truncatedLeft(4).ids()).containsExactly(1, 11, 12, 2);
    assertThat(TEXT.truncatedLeft(2).ids()).containsExactly(1, 2);
  }

  @Test
  void whatFitsIsLeftAsItIs() {
    assertThat(TEXT.truncatedRight(5)).isSameAs(TEXT);
    assertThat(TEXT.truncatedLeft(Integer.MAX_VALUE)).isSameAs(TEXT);
  }

  @Test
  void aLimitBelowTheAddedTokensIsRefused() {
    assertThatThrownBy(() -> TEXT.truncatedRight(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "a limit of 1 tokens leaves no room for the 2 that the tokenizer adds to every text");
    assertThatThrownBy(() -> TEXT.truncatedLeft(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void twoEncodingsOfTheSameIdsAreEqual() {
    Encoding same = new Encoding(TEXT.ids().clone(), 1, 1);
    assertThat(same).isEqualTo(TEXT).hasSameHashCodeAs(TEXT);
    assertThat(new Encoding(TEXT.ids(), 1, 0)).isNotEqualTo(TEXT);
  }

  @Test
  void endsLongerThanTheIdsAreRefused() {
    assertThatThrownBy(() -> new Encoding(new int[1], 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
