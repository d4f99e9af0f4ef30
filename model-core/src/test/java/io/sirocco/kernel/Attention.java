package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;
import java.util.Arrays;
import java.util.Random;

/** Random operands of one attention block; nothing is hidden at first. */
final class Attention {
  private static final long SEED = 20260712;

  final float[][] mask;
  final Matrix out;
  private final KernelsFixture fixture;
  private final int heads;
  private final int kvHeads;
  private final int headDim;
  private final Matrix queries;
  private final Matrix keys;
  private final Matrix values;

  Attention(KernelsFixture fixture, int heads, int kvHeads, int headDim, int queries, int slots) {
    Random random = new Random(SEED);
    ElementType type = fixture.type();
    this.fixture = fixture;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.headDim = headDim;
    this.keys = fixture.matrix(type, KernelsFixture.random(random, slots, kvHeads * headDim));
    this.values = fixture.matrix(type, KernelsFixture.random(random, slots, kvHeads * headDim));
    this.queries = fixture.matrix(type, KernelsFixture.random(random, queries, heads * headDim));
    this.mask = new float[queries][slots];
    this.out = fixture.workspace.matrix(type, queries, heads * headDim);
  }

  /** Hides about half of the slots from each query, never all. */
  void hideAbout(Random random) {
    for (float[] row : mask) {
      for (int slot = 0; slot < row.length; slot++) {
        row[slot] = random.nextBoolean() ? -Float.MAX_VALUE : 0f;
      }
      row[random.nextInt(row.length)] = 0f;
    }
  }

  void setSlots(int from, int to, float value) {
    float[] row = new float[keys.columns()];
    Arrays.fill(row, value);
    for (int slot = from; slot < to; slot++) {
      keys.writeRow(slot, row);
      values.writeRow(slot, row);
    }
  }

  /** The first {@code count} queries from {@code from} on, in matrices of their own but out. */
  AttentionBlock block(int from, int count) {
    Matrix some = fixture.empty(queries.type(), Math.max(1, count), queries.columns());
    Matrix someMask = fixture.empty(ElementType.F32, Math.max(1, count), keys.rows());
    for (int q = 0; q < count; q++) {
      some.writeRow(q, KernelsFixture.readRow(queries, from + q));
      someMask.writeRow(q, mask[from + q]);
    }
    return new AttentionBlock(
        some.first(count),
        keys,
        values,
        someMask.first(count),
        heads,
        kvHeads,
        (float) (1 / Math.sqrt(headDim)),
        out.first(count));
  }

  Reference.Sums want() {
    return Reference.attend(
        block(0, queries.rows()),
        KernelsFixture.read(queries),
        KernelsFixture.read(keys),
        KernelsFixture.read(values),
        mask);
  }

  @Override
  public String toString() {
    return "%d queries, %d slots, %d heads, %d kv heads of %d"
        .formatted(queries.rows(), keys.rows(), heads, kvHeads, headDim);
  }
}
