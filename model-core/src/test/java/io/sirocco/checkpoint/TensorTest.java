package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorTest {
  private static final int VALUES = 0x10000;

  @TempDir Path folder;

  /** All 65536 values of a type, in one row. */
  private float[] widened(ElementType type) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * VALUES).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < VALUES; bits++) {
      bytes.putShort((short) bits);
    }
    float[] row = new float[VALUES];
    new SafetensorsFile()
        .withBytes("lm_head.weight", type.name(), bytes.flip(), 1, VALUES)
        .open(folder, "{}")
        .require("lm_head.weight", 1, VALUES)
        .readRow(0, row);
    return row;
  }

  @Test
  void everyHalfIsWidenedExactly() {
    float[] got = widened(ElementType.F16);
    for (int bits = 0; bits < VALUES; bits++) {
      double want = half(bits);
      if (Double.isNaN(want)) {
        assertThat(got[bits]).as("bits %x", bits).isNaN();
      } else {
        assertThat(Float.floatToRawIntBits(got[bits]))
            .as("bits %x", bits)
            .isEqualTo(Float.floatToRawIntBits((float) want));
      }
    }
  }

  /** By the definition of IEEE 754: sign, exponent with bias 15, fraction of 10 bits. */
  private static double half(int bits) {
    double sign = (bits & 0x8000) == 0 ? 1.0 : -1.0;
    int exponent = bits >> 10 & 31;
    double fraction = (bits & 1023) / 1024.0;
    if (exponent == 31) {
      return fraction == 0 ? sign / 0.0 : Double.NaN;
    }
    return exponent == 0
        ? sign * Math.pow(2, -14) * fraction
        : sign * Math.pow(2, exponent - 15) * (1 + fraction);
  }

  @Test
  void everyBfloat16IsTheUpperHalfOfFloat() {
    float[] got = widened(ElementType.BF16);
    for (int bits = 0; bits < VALUES; bits++) {
      float want = Float.intBitsToFloat(bits << 16);
      boolean same = Float.isNaN(want) ? Float.isNaN(got[bits]) : got[bits] == want;
      assertThat(same).as("bits %x", bits).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"F16", "BF16"})
  void testFilesHoldWhatTheyAreToldTo(ElementType type) {
    float[] values = widened(type);
    ByteBuffer written = SafetensorsFile.encode(type, values);
    for (int bits = 0; bits < VALUES; bits++) {
      if (!Float.isNaN(values[bits])) {
        assertThat(written.getShort(2 * bits)).as("bits %x", bits).isEqualTo((short) bits);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 7})
  void rowsComeFromTheSlabThatHoldsThem(int rowsPerSlab) {
    float[][] rows = new float[7][3];
    for (int row = 0; row < 7; row++) {
      rows[row] = new float[] {row, row + 0.5f, -row};
    }
    for (ElementType type : ElementType.values()) {
      Tensor tensor = SafetensorsFile.matrix(type, rows, rowsPerSlab);
      assertThat(tensor.slabs()).hasSize((7 + rowsPerSlab - 1) / rowsPerSlab);
      float[] got = new float[3];
      for (int row = 0; row < 7; row++) {
        tensor.readRow(row, got);
        assertThat(got).containsExactly(rows[row]);
      }
      for (int outside : new int[] {-1, 7}) {
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
            .isThrownBy(() -> tensor.readRow(outside, got));
      }
    }
  }

  @Test
  void mappingsAreReadOnly() {
    Tensor tensor =
        new SafetensorsFile()
            .with("score.weight", ElementType.F32, new float[4], 4)
            .open(folder, "{}")
            .require("score.weight", 4);
    assertThat(tensor.slabs()).allSatisfy(slab -> assertThat(slab.isReadOnly()).isTrue());
  }
}
