package io.sirocco.model;

import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Runs a {@link MistralModel} over flat batches: the mutable side, with the activations' memory.
 * One thread at a time. Closing frees the memory; model and allocator stay the caller's.
 *
 * <p>Shapes: M tokens of a chunk, D hidden_size, H heads, G key-value heads, d head_dim, F
 * intermediate_size. T is the precision's activation type; the residual stream is F32.
 */
public final class Decoder implements AutoCloseable {
  /** Where a row that is computed in several steps may be cut. */
  public static final int STEP_ALIGNMENT = AttentionBlocks.QUERIES;

  private final MistralModel model;
  private final MistralConfig config;
  private final Kernels kernels;
  private final AttentionBlocks blocks;
  private final AttentionMasks masks;
  private final RotaryEmbedding rotary;
  private final Activations activations;
  private final Branches branches;
  private final float scoreScale;

  public Decoder(MistralModel model, BufferAllocator allocator) {
    this.model = model;
    this.config = model.config();
    this.kernels = model.kernels();
    this.blocks = new AttentionBlocks(config.slidingWindow());
    this.masks = new AttentionMasks(blocks, allocator);
    this.rotary = new RotaryEmbedding(RotaryFrequencies.of(config));
    this.activations = new Activations(config, kernels.precision(), allocator);
    this.branches = new Branches(config, kernels, allocator);
    this.scoreScale = (float) Math.pow(config.headDim(), -0.5);
  }

  /** As {@link #forward(List, LayerObserver)}, unobserved. */
  public Matrix forward(List<TokenRow> rows) {
    return forward(rows, LayerObserver.NONE);
  }

  /**
   * The residual stream behind the last layer, before the final norm: F32 {@code [tokens, D]}, the
   * rows' tokens one after the other. Valid until the next call. A row's values depend on that row
   * alone.
   *
   * @throws IndexOutOfBoundsException if an id is not within the vocabulary
   */
  public Matrix forward(List<TokenRow> rows, LayerObserver observer) {
    return compute(rows.stream().map(PrefixedRow::whole).map(RowPart::of).toList(), observer);
  }

  /**
   * As {@link #forward(List)}, but of the tokens that are computed: F32 {@code [computed, D]}. They
   * have the same bits as if all were computed.
   */
  public Matrix forwardBehind(List<PrefixedRow> rows) {
    return forwardBehind(rows, LayerObserver.NONE);
  }

  /** As {@link #forwardBehind(List)}, observed. */
  public Matrix forwardBehind(List<PrefixedRow> rows, LayerObserver observer) {
    return compute(rows.stream().map(RowPart::of).toList(), observer);
  }

  /** Computes the next tokens of a prefix as rows of {@code rowLength} tokens compute them. */
  void prefix(Continuation next, int rowLength) {
    compute(List.of(RowPart.ofPrefix(next, rowLength)), LayerObserver.NONE);
    next.cache().advance(next.ids().length);
  }

  /**
   * As {@link #forward(List)}, for the next tokens of rows whose earlier ones are cached; they are
   * in the caches afterwards. A row whose tokens come in several steps has the same values, up to
   * rounding, as if they came at once, and to the bit the same whenever it is cut at the same
   * places, each a multiple of {@link #STEP_ALIGNMENT}, and then computed token by token.
   *
   * @param rows each with a cache of its own
   */
  public Matrix step(List<Continuation> rows) {
    Matrix residual = compute(rows.stream().map(RowPart::of).toList(), LayerObserver.NONE);
    rows.forEach(row -> row.cache().advance(row.ids().length));
    return residual;
  }

  private Matrix compute(List<RowPart> parts, LayerObserver observer) {
    BatchPlan plan = BatchPlan.of(parts, blocks);
    Activations.Batch memory = activations.prepare(plan);
    Matrix residual = memory.residual();
    embed(parts, residual);
    observer.after(0, residual);
    List<List<AdapterRun>> runs = plan.chunks().stream().map(AdapterRun::of).toList();
    for (int index = 0; index < model.layers().size(); index++) {
      for (int chunk = 0; chunk < runs.size(); chunk++) {
        layer(index, plan.chunks().get(chunk), runs.get(chunk), memory);
      }
      observer.after(index + 1, residual);
    }
    return residual;
  }

  private void embed(List<RowPart> parts, Matrix residual) {
    float[] vector = new float[config.hiddenSize()];
    int token = 0;
    for (RowPart part : parts) {
      for (int id : part.ids()) {
        model.embedding().readRow(id, vector);
        residual.writeRow(token++, vector);
      }
    }
  }

  private void layer(
      int index, BatchPlan.Chunk chunk, List<AdapterRun> runs, Activations.Batch memory) {
    DecoderLayer layer = model.layers().get(index);
    Matrix residual = memory.residual().slice(chunk.firstToken(), chunk.tokens());
    Activations.Chunk at = memory.chunk().first(chunk.tokens());

    kernels.rmsNorm(residual, layer.inputNorm(), config.rmsNormEps(), at.normed());
    kernels.linearEach(
        at.normed(),
        List.of(layer.query(), layer.key(), layer.value()),
        List.of(at.rawQueries(), at.rawKeys(), at.newValues()));
    branches.attentionIn(runs, new Branches.At(index, layer, at));
    List<AttentionBlock> lone = new ArrayList<>();
    for (BatchPlan.Segment segment : chunk.segments()) {
      if (growsByOne(segment)) {
        lone.add(loneToken(index, segment, at));
      } else {
        attention(index, segment, at, memory);
      }
    }
    kernels.attendEach(lone);
    kernels.linearAdd(at.attended(), layer.attentionOut(), residual);
    branches.add(runs, index, Projection.ATTENTION_OUT, at.attended(), residual);

    kernels.rmsNorm(residual, layer.feedForwardNorm(), config.rmsNormEps(), at.normed());
    if (runs.isEmpty()) {
      kernels.gatedLinear(
          at.normed(), layer.gate(), layer.up(), config.hiddenAct(), at.up(), at.gated());
    } else {
      branches.gated(runs, new Branches.At(index, layer, at));
    }
    kernels.linearAdd(at.gated(), layer.down(), residual);
    branches.add(runs, index, Projection.DOWN, at.gated(), residual);
  }

  /**
   * A segment's keys and values are stored behind the row's earlier ones, and its queries read them
   * all: in the batch's own memory, in the row's cache, or, where a ring would overwrite what the
   * segment's first tokens still see, in the batch's memory from and to the cache.
   */
  private void attention(
      int layer, BatchPlan.Segment segment, Activations.Chunk at, Activations.Batch memory) {
    RowPart part = segment.part();
    if (part.isInPlace()) {
      KvCache cache = part.cache().orElseThrow();
      KeyValues stored = new KeyValues(cache.keys(layer), cache.values(layer), 0);
      rotateAndStore(segment, at, stored, segment.from());
      attend(segment, at, stored);
      return;
    }
    BatchPlan.Slots slots = segment.slots();
    KeyValues stored =
        new KeyValues(
            memory.keys().slice(slots.first(), slots.count()),
            memory.values().slice(slots.first(), slots.count()),
            slots.firstPosition());
    int row = segment.from() - slots.firstPosition();
    part.cache()
        .ifPresent(
            cache ->
                cache.load(
                    layer, slots.firstPosition(), cache.length(), stored.keys(), stored.values()));
    part.prefix()
        .filter(prefix -> segment.from() == part.from())
        .ifPresent(
            prefix ->
                prefix.load(
                    layer, slots.firstPosition(), part.from(), stored.keys(), stored.values()));
    rotateAndStore(segment, at, stored, row);
    attend(segment, at, stored);
    part.cache()
        .ifPresent(
            cache -> cache.store(layer, segment.length(), stored.keys(), stored.values(), row));
  }

  /** A row's keys and values in one layer; the first slot holds the token {@code first}. */
  private record KeyValues(Matrix keys, Matrix values, int first) {}

  /** Keys are stored rotated, values as they are. */
  private void rotateAndStore(
      BatchPlan.Segment segment, Activations.Chunk at, KeyValues stored, int slot) {
    int offset = segment.offset();
    int length = segment.length();
    int[] positions = new int[length];
    for (int i = 0; i < length; i++) {
      positions[i] = segment.part().position(segment.from() + i);
    }
    RotaryEmbedding.Table table = rotary.table(segment.part().contextLength());
    float[][] cos = table.cos(positions);
    float[][] sin = table.sin(positions);
    kernels.rotate(
        at.rawQueries().slice(offset, length), cos, sin, at.queries().slice(offset, length));
    kernels.rotate(at.rawKeys().slice(offset, length), cos, sin, stored.keys().slice(slot, length));
    at.newValues().copyRows(offset, length, stored.values(), slot);
  }

  /**
   * Blocks reach behind a row's end, where they compute something for nobody: it lands on rows of
   * {@code attended} that are computed later, or on slack. So segments must come in order.
   */
  private void attend(BatchPlan.Segment segment, Activations.Chunk at, KeyValues stored) {
    RowPart part = segment.part();
    for (AttentionBlocks.Block block :
        blocks.of(segment.from(), segment.length(), part.reach(), part.trunk())) {
      int query = segment.offset() + block.firstQuery() - segment.from();
      int slot = block.firstSlot() - stored.first();
      kernels.attend(
          block(
              at.queries().slice(query, block.queries()),
              stored.keys().slice(slot, block.slots()),
              stored.values().slice(slot, block.slots()),
              masks.mask(block, part),
              at.attendedAndBeyond().slice(query, block.queries())));
    }
  }

  private static boolean growsByOne(BatchPlan.Segment segment) {
    return segment.part().isInPlace() && segment.part().ids().length == 1;
  }

  /** One token against the first slots of a ring: in which order they are does not matter. */
  private AttentionBlock loneToken(int layer, BatchPlan.Segment segment, Activations.Chunk at) {
    KvCache cache = segment.part().cache().orElseThrow();
    KeyValues stored = new KeyValues(cache.keys(layer), cache.values(layer), 0);
    rotateAndStore(segment, at, stored, cache.slot(segment.from()));
    int visible = cache.visibleSlots(segment.from());
    int slots = AttentionBlocks.slotsFor(visible);
    return block(
        at.queries().slice(segment.offset(), 1),
        stored.keys().slice(0, slots),
        stored.values().slice(0, slots),
        masks.ofFirst(visible, slots),
        at.attendedAndBeyond().slice(segment.offset(), 1));
  }

  private AttentionBlock block(
      Matrix queries, Matrix keys, Matrix values, Matrix mask, Matrix out) {
    return new AttentionBlock(
        queries,
        keys,
        values,
        mask,
        config.numAttentionHeads(),
        config.numKeyValueHeads(),
        scoreScale,
        out);
  }

  /**
   * Upper bound, but for a few MiB, of the native memory that batches of that many tokens take, or
   * a single row of {@code longestRow} tokens where that is more.
   */
  public static long workspaceBytes(
      MistralConfig config, Precision precision, int batchTokens, int longestRow) {
    AttentionBlocks blocks = new AttentionBlocks(config.slidingWindow());
    int slots = Math.max(blocks.mostKeySlots(batchTokens), blocks.keySlots(longestRow));
    int tokens = Math.max(batchTokens, longestRow);
    Activations.Sizes sizes =
        new Activations.Sizes(tokens, slots, Math.min(tokens, BatchPlan.CHUNK + 1));
    int group = config.numAttentionHeads() / config.numKeyValueHeads();
    return Activations.bytes(config, precision, sizes) + blocks.scoreBytes(longestRow, group);
  }

  /**
   * Upper bound of what batches whose rows have adapters take beside {@link #workspaceBytes}.
   *
   * @param rank the adapters' largest
   */
  public static long adapterWorkspaceBytes(MistralConfig config, Precision precision, int rank) {
    return Branches.workspaceBytes(config, precision, rank);
  }

  @Override
  public void close() {
    branches.close();
    masks.close();
    activations.close();
  }
}
