package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Activation;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.kernel.Precision;
import java.util.Arrays;
import java.util.Optional;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/** {@code act(gate) ⊙ up} where no product could be fused with it. */
final class ActivatedProduct implements AutoCloseable {
  private final Lane lane;
  private final BufferAllocator allocator;
  private final WorkEstimate work = new WorkEstimate(Precision.FLOAT32);
  private Optional<ArrowBuf> ones = Optional.empty();
  private int most;

  ActivatedProduct(Lane lane, BufferAllocator allocator) {
    this.lane = lane;
    this.allocator = allocator;
  }

  /** All of them F32; {@code out} may be {@code gate}. At most a piece of rows, for few shapes. */
  void compute(Matrix gate, Matrix up, Activation act, Matrix out) {
    // The pass of int8's gate, whose rows have a scale each: here it is one.
    Int8Calls.Gate shape = new Int8Calls.Gate(gate.rows(), gate.columns(), act);
    double seconds = work.ofPass((long) gate.rows() * gate.columns() * 12);
    lane.execute(
        lane.call(shape, seconds, cpu -> Int8Calls.gate(cpu, shape))
            .bind(DNNL_ARG_SRC_0, gate.address())
            .bind(DNNL_ARG_SRC_1, ones(gate.rows()))
            .bind(Int8Calls.ARG_UP, up.address())
            .bind(DNNL_ARG_DST, out.address()));
  }

  private long ones(int rows) {
    if (rows > most) {
      close();
      ArrowBuf buffer = NativeMemory.allocate(allocator, (long) rows * Float.BYTES);
      ones = Optional.of(buffer);
      float[] values = new float[rows];
      Arrays.fill(values, 1f);
      new Matrix(buffer.memoryAddress(), ElementType.F32, 1, rows, 0).writeRow(0, values);
      most = rows;
    }
    return ones.orElseThrow().memoryAddress();
  }

  @Override
  public void close() {
    ones.ifPresent(ArrowBuf::close);
    ones = Optional.empty();
    most = 0;
  }
}
