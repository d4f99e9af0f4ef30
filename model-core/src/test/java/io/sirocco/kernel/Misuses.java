package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sirocco.checkpoint.ElementType;
import java.util.List;

/** Calls with operands that do not fit, each of which is refused. */
final class Misuses {
  private final KernelsFixture fixture;
  private final Kernels kernels;

  Misuses(KernelsFixture fixture) {
    this.fixture = fixture;
    this.kernels = fixture.kernels;
  }

  /** Of all operations but attention. */
  void ofOperands() {
    ElementType type = fixture.type();
    Weight weight = fixture.weight(ElementType.F32, new float[48][72]);
    Matrix x = fixture.empty(type, 4, 72);
    Matrix out = fixture.empty(type, 4, 48);
    Matrix residual = fixture.empty(ElementType.F32, 4, 48);
    ElementType within = kernels.precision().feedForward();
    Matrix gated = fixture.empty(within, 4, 48);
    List<Runnable> misuses =
        List.of(
            () -> kernels.linear(fixture.empty(type, 4, 71), weight, out),
            () -> kernels.linear(x, weight, fixture.empty(type, 4, 47)),
            () -> kernels.linear(x, weight, fixture.empty(type, 5, 48)),
            () -> kernels.linear(x, new OtherWeight(48, 72), out),
            () -> kernels.linearAdd(x, weight, fixture.empty(ElementType.F32, 4, 49)),
            () -> kernels.linearAdd(x, weight, fixture.empty(ElementType.BF16, 4, 48)),
            () -> kernels.linearAdd(fixture.empty(type, 3, 72), weight, residual),
            () -> gate(x, weight, fixture.empty(within, 4, 47), gated),
            () -> gate(x, weight, fixture.empty(within, 3, 48), gated),
            () -> gate(x, weight, gated, fixture.empty(within, 4, 72)),
            () -> gate(x, new OtherWeight(47, 72), gated, gated),
            () -> kernels.addLowRank(x, new OtherBranch(48, 72), residual),
            () -> kernels.addLowRank(x, new OtherBranch(47, 72), residual),
            () -> kernels.addLowRank(x.first(3), new OtherBranch(48, 72), residual),
            () -> kernels.activate(residual, residual.first(3), Activation.SILU, gated),
            () -> kernels.round(residual, out.first(3)),
            () -> kernels.rmsNorm(residual, new float[47], 1e-5f, out),
            () -> kernels.rmsNorm(residual, new float[48], 1e-5f, x),
            () -> kernels.rmsNorm(residual, new float[48], 1e-5f, out.first(3)),
            () ->
                kernels.rmsNorm(fixture.empty(ElementType.BF16, 4, 48), new float[48], 1e-5f, out),
            () -> kernels.rotate(residual, new float[3][24], new float[4][24], out),
            () -> kernels.rotate(residual, new float[4][24], new float[3][24], out),
            () -> kernels.rotate(residual, new float[4][24], new float[4][23], out),
            () -> kernels.rotate(residual, new float[4][7], new float[4][7], out),
            () -> kernels.rotate(residual, new float[4][24], new float[4][24], x));
    assertRefused(misuses);
    if (type == ElementType.F32) {
      Matrix half = fixture.empty(ElementType.BF16, 4, 72);
      assertThatIllegalArgumentException().isThrownBy(() -> kernels.linear(half, weight, out));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kernels.linear(x, weight, fixture.empty(ElementType.BF16, 4, 48)));
    }
  }

  /** Of attention, in other types or shapes. */
  void ofAttention() {
    ElementType type = fixture.type();
    ElementType other = type == ElementType.F32 ? ElementType.BF16 : ElementType.F32;
    Matrix q = fixture.empty(type, 2, 48);
    Matrix kv = fixture.empty(type, 16, 24);
    Matrix mask = fixture.empty(ElementType.F32, 2, 16);
    Matrix otherMask = fixture.empty(ElementType.BF16, 2, 16);
    Matrix otherQ = fixture.empty(other, 2, 48);
    Matrix otherKv = fixture.empty(other, 16, 24);
    List<Runnable> misuses =
        List.of(
            () -> attend(q, kv, kv, otherMask, 2, 1, q),
            () -> attend(otherQ, kv, kv, mask, 2, 1, q),
            () -> attend(q, otherKv, kv, mask, 2, 1, q),
            () -> attend(q, kv, otherKv, mask, 2, 1, q),
            () -> attend(q, kv, kv, mask, 2, 1, otherQ),
            () -> attend(q, kv, kv, mask, 2, 2, q),
            () -> attend(q, kv, kv, mask, 0, 1, q),
            () -> attend(q, kv, kv, mask, 2, 0, q),
            () -> attend(q, kv, kv, mask, 5, 1, q),
            () -> attend(q, kv, kv.first(15), mask, 2, 1, q),
            () -> attend(q, kv, kv, mask.first(1), 2, 1, q),
            () -> attend(q.first(1), kv, kv, mask, 2, 1, q),
            () -> attend(q, kv.first(0), kv.first(0), mask, 2, 1, q),
            () -> attend(q, kv, kv, mask, 2, 1, q.first(1)));
    assertRefused(misuses);
  }

  private void attend(
      Matrix queries, Matrix keys, Matrix values, Matrix mask, int heads, int kvHeads, Matrix out) {
    kernels.attend(new AttentionBlock(queries, keys, values, mask, heads, kvHeads, 0.2f, out));
  }

  private void gate(Matrix x, Weight up, Matrix scratch, Matrix out) {
    kernels.gatedLinear(x, up, up, Activation.SILU, scratch, out);
  }

  private record OtherBranch(int outputs, int inputs) implements LowRank {}

  private record OtherWeight(int outputs, int inputs) implements Weight {
    @Override
    public long copiedBytes() {
      return 0;
    }
  }

  private static void assertRefused(List<Runnable> misuses) {
    for (int i = 0; i < misuses.size(); i++) {
      assertThatIllegalArgumentException().as("misuse %d", i).isThrownBy(misuses.get(i)::run);
    }
  }
}
