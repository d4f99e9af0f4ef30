package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Workspace;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The masks of attention blocks, {@code [queries, slots]}, F32: 0 where the query sees the slot,
 * the lowest finite float where not, as the reference adds them. Masks of short spans recur from
 * row to row and are kept; others are made for each block.
 */
final class AttentionMasks implements AutoCloseable {
  private static final float HIDDEN = -Float.MAX_VALUE;
  private static final int KEPT = 64;
  private static final int LONGEST_KEPT = 1024;

  private final AttentionBlocks blocks;
  private final BufferAllocator allocator;
  private final Map<Shape, Mask> kept = new LinkedHashMap<>(16, 0.75f, true);
  private Optional<Mask> scratch = Optional.empty();

  /** All that a mask depends on, for one window and rows without an attention mask of their own. */
  private record Shape(int queries, int slots, int firstQueryMinusFirstSlot) {}

  private record Mask(Workspace owner, Matrix matrix) {}

  AttentionMasks(AttentionBlocks blocks, BufferAllocator allocator) {
    this.blocks = blocks;
    this.allocator = allocator;
  }

  /** Valid until the next call. */
  Matrix mask(AttentionBlocks.Block block, Optional<int[]> attentionMask) {
    if (attentionMask.isPresent() || block.slots() > LONGEST_KEPT) {
      return fill(scratch(block), block, attentionMask);
    }
    Shape shape = new Shape(block.queries(), block.slots(), block.firstQuery() - block.firstSlot());
    Mask mask = kept.get(shape);
    if (mask == null) {
      mask = make(block.queries(), block.slots());
      fill(mask.matrix(), block, Optional.empty());
      kept.put(shape, mask);
      forgetEldest();
    }
    return mask.matrix();
  }

  private Matrix fill(Matrix mask, AttentionBlocks.Block block, Optional<int[]> attentionMask) {
    float[] row = new float[block.slots()];
    for (int q = 0; q < block.queries(); q++) {
      int query = block.firstQuery() + q;
      int from = Math.max(0, blocks.firstSeen(query) - block.firstSlot());
      int to = Math.min(block.slots(), query - block.firstSlot() + 1);
      Arrays.fill(row, HIDDEN);
      Arrays.fill(row, Math.min(from, to), to, 0f);
      attentionMask.ifPresent(mine -> hide(row, block.firstSlot(), mine));
      mask.writeRow(q, row);
    }
    return mask;
  }

  private static void hide(float[] row, int firstSlot, int[] attentionMask) {
    int known = Math.min(row.length, attentionMask.length - firstSlot);
    for (int slot = 0; slot < known; slot++) {
      if (attentionMask[firstSlot + slot] == 0) {
        row[slot] = HIDDEN;
      }
    }
  }

  private Matrix scratch(AttentionBlocks.Block block) {
    long wanted = (long) block.queries() * block.slots();
    if (scratch.isEmpty() || elements(scratch.get()) < wanted) {
      scratch.ifPresent(mask -> mask.owner().close());
      scratch = Optional.of(make(block.queries(), block.slots()));
    }
    Matrix memory = scratch.get().matrix();
    return new Matrix(memory.address(), memory.type(), block.queries(), block.slots(), 0);
  }

  private static long elements(Mask mask) {
    return (long) mask.matrix().rows() * mask.matrix().columns();
  }

  private Mask make(int queries, int slots) {
    Workspace owner = new Workspace(allocator);
    return new Mask(owner, owner.matrix(ElementType.F32, queries, slots));
  }

  private void forgetEldest() {
    if (kept.size() > KEPT) {
      var eldest = kept.entrySet().iterator();
      eldest.next().getValue().owner().close();
      eldest.remove();
    }
  }

  @Override
  public void close() {
    kept.values().forEach(mask -> mask.owner().close());
    kept.clear();
    scratch.ifPresent(mask -> mask.owner().close());
    scratch = Optional.empty();
  }
}
