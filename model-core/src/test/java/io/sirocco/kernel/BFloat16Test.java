package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BFloat16Test {
  private static final long SEED = 20260713;

  @Test
  void everyValueSurvivesTheWayToFloatAndBack() {
    for (int bits = 0; bits < 0x10000; bits++) {
      float value = BFloat16.toFloat((short) bits);
      short back = BFloat16.fromFloat(value);
      if (Float.isNaN(value)) {
        assertThat(BFloat16.toFloat(back)).as("bits %x", bits).isNaN();
      } else {
        assertThat(back).as("bits %x", bits).isEqualTo((short) bits);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x1p0, 0x1p0",
    "0x1.01p0, 0x1.00p0", // half way, even below
    "0x1.03p0, 0x1.04p0", // half way, even above
    "0x1.010002p0, 0x1.02p0",
    "0x1.00fffep0, 0x1.00p0",
    "-0x1.03p0, -0x1.04p0",
    "0x1.ffp0, 0x1p1", // carries into the exponent
    "0x1.fffffep127, Infinity",
    "0x1.fefffep127, 0x1.fep127",
    "-Infinity, -Infinity",
    "-0.0, -0.0",
    "0x1p-149, 0.0",
    "0x1p-133, 0x1p-133", // the smallest subnormal bfloat16
    "0x1.8p-133, 0x1p-132" // half way, even above
  })
  void roundsToNearestAndTiesToEven(String value, String want) {
    float rounded = BFloat16.toFloat(BFloat16.fromFloat(Float.parseFloat(value)));
    assertThat(rounded).isEqualTo(Float.parseFloat(want));
  }

  @Test
  void nanStaysNanWhateverItsPayload() {
    for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0x7fc00000, 0xffffffff}) {
      float nan = Float.intBitsToFloat(bits);
      assertThat(BFloat16.toFloat(BFloat16.fromFloat(nan))).as("%x", bits).isNaN();
    }
  }

  @Test
  void noOtherValueIsNearer() {
    Random random = new Random(SEED);
    for (int i = 0; i < 200_000; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      if (!Float.isFinite(value) || Math.abs(value) > 0x1.fep127f) {
        continue;
      }
      short bits = BFloat16.fromFloat(value);
      double error = error(value, bits);
      for (int neighbour : new int[] {bits - 1, bits + 1}) {
        double other = error(value, (short) neighbour);
        boolean beaten = other < error || (other == error && (bits & 1) == 1);
        assertThat(beaten).as("%s, seed %d", value, SEED).isFalse();
      }
    }
  }

  private static double error(float value, short bits) {
    return Math.abs((double) value - BFloat16.toFloat(bits));
  }
}
