package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
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
  private final List<Mask> strips = new ArrayList<>();

  /** All that a mask depends on, for one window and rows without an attention mask of their own. */
  private record Shape(int queries, int slots, int firstQueryMinusFirstSlot) {}

  private record Mask(Workspace owner, Matrix matrix) {}

  AttentionMasks(AttentionBlocks blocks, BufferAllocator allocator) {
    this.blocks = blocks;
    this.allocator = allocator;
  }

  /** Valid until the next call. */
  Matrix mask(AttentionBlocks.Block block, RowPart row) {
    boolean branches = row.tree().isPresent() && block.firstQuery() + block.queries() > row.trunk();
    if (branches || row.attentionMask().isPresent() || block.slots() > LONGEST_KEPT) {
      return fill(scratch(block), block, row);
    }
    Shape shape = new Shape(block.queries(), block.slots(), block.firstQuery() - block.firstSlot());
    Mask mask = kept.get(shape);
    if (mask == null) {
      mask = make(block.queries(), block.slots());
      fill(mask.matrix(), block, row);
      kept.put(shape, mask);
      forgetEldest();
    }
    return mask.matrix();
  }

  /**
   * The mask {@code [1, slots]} of a token that sees the first {@code visible} slots. All such
   * masks are views on a strip of zeros and hidden slots; valid until this is closed.
   */
  Matrix ofFirst(int visible, int slots) {
    Matrix strip = strip(slots);
    long skipped = (strip.columns() / 2L - visible) * Float.BYTES;
    return new Matrix(strip.address() + skipped, ElementType.F32, 1, slots, 0);
  }

  /**
   * Zeros and hidden slots, at least so many of each. Shorter ones are still in use: each is less
   * than half of the next.
   */
  private Matrix strip(int slots) {
    if (strips.isEmpty() || last(strips).columns() / 2 < slots) {
      int zeros = 2 * slots;
      Mask strip = make(1, 2 * zeros);
      float[] values = new float[2 * zeros];
      Arrays.fill(values, zeros, values.length, HIDDEN);
      strip.matrix().writeRow(0, values);
      strips.add(strip);
    }
    return last(strips);
  }

  private static Matrix last(List<Mask> masks) {
    return masks.get(masks.size() - 1).matrix();
  }

  private Matrix fill(Matrix mask, AttentionBlocks.Block block, RowPart part) {
    float[] row = new float[block.slots()];
    for (int q = 0; q < block.queries(); q++) {
      int query = block.firstQuery() + q;
      Arrays.fill(row, HIDDEN);
      if (query >= part.trunk() && query < part.from() + part.ids().length) {
        showBranch(row, block, query, part);
      } else {
        show(row, block, blocks.firstSeen(query), query + 1);
      }
      part.attentionMask().ifPresent(mine -> hide(row, block.firstSlot(), mine));
      mask.writeRow(q, row);
    }
    return mask;
  }

  /** The tokens before it on its own path, within the window. */
  private void showBranch(float[] row, AttentionBlocks.Block block, int query, RowPart part) {
    TokenTree tree = part.tree().orElseThrow();
    int firstSeen = blocks.firstSeen(tree.position(query));
    show(row, block, firstSeen, tree.trunk());
    for (int token = query; token >= tree.trunk(); token = tree.parent(token)) {
      if (tree.position(token) >= firstSeen) {
        show(row, block, token, token + 1);
      }
    }
  }

  /** Slots {@code [from, to)} of the row, as far as the block has them. */
  private static void show(float[] row, AttentionBlocks.Block block, int from, int to) {
    int first = Math.max(0, from - block.firstSlot());
    int end = Math.min(block.slots(), to - block.firstSlot());
    Arrays.fill(row, Math.min(first, Math.max(end, 0)), Math.max(end, 0), 0f);
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
    strips.forEach(mask -> mask.owner().close());
    strips.clear();
  }
}
