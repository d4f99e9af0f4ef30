package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Workspace;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What adapters add to a layer's products, run by run. The branch is computed in float32 and added
 * to the product in float32; where a result is of type T, the sum is rounded to it once. Runs come
 * in their order, since a product may write to rows behind its own.
 */
final class Branches implements AutoCloseable {
  /** Rows whose sums are held in float32 at a time, where results are of another type. */
  private static final int PIECE = 256;

  private final MistralConfig config;
  private final Kernels kernels;
  private final Workspace scratch;
  private Optional<Wide> wide = Optional.empty();

  /** F32 {@code [PIECE, F]}, or fewer columns: of gate and up, in the feed-forward network. */
  private record Wide(Matrix first, Matrix second) {}

  /** A layer, by its number, and what is computed of it. */
  record At(int index, DecoderLayer layer, Activations.Chunk chunk) {}

  Branches(MistralConfig config, Kernels kernels, BufferAllocator allocator) {
    this.config = config;
    this.kernels = kernels;
    this.scratch = new Workspace(allocator);
  }

  /** Adds to products that are in float32. */
  void add(List<AdapterRun> runs, int layer, Projection projection, Matrix x, Matrix out) {
    for (AdapterRun run : runs) {
      run.branch(layer, projection)
          .ifPresent(
              branch ->
                  kernels.addLowRank(
                      x.slice(run.from(), run.count()),
                      branch,
                      out.slice(run.from(), run.count())));
    }
  }

  /** Queries, keys and values. Values of type T are computed again: a sum is rounded once. */
  void attentionIn(List<AdapterRun> runs, At at) {
    Activations.Chunk chunk = at.chunk();
    add(runs, at.index(), Projection.QUERY, chunk.normed(), chunk.rawQueries());
    add(runs, at.index(), Projection.KEY, chunk.normed(), chunk.rawKeys());
    if (chunk.newValues().type() == ElementType.F32) {
      add(runs, at.index(), Projection.VALUE, chunk.normed(), chunk.newValues());
      return;
    }
    for (AdapterRun run : runs) {
      Optional<LowRank> branch = run.branch(at.index(), Projection.VALUE);
      if (branch.isPresent()) {
        inPieces(run, (from, count) -> values(at, branch.get(), from, count));
      }
    }
  }

  private void values(At at, LowRank branch, int from, int count) {
    Activations.Chunk chunk = at.chunk();
    Matrix sum = wide().first().withColumns(chunk.newValues().columns()).first(count);
    kernels.linear(chunk.normed().sliceAndBeyond(from, count), at.layer().value(), sum);
    kernels.addLowRank(chunk.normed().slice(from, count), branch, sum);
    kernels.round(sum, chunk.newValues().slice(from, count));
  }

  /** {@link Kernels#gatedLinear} for runs to which nothing is added, else the same unfused. */
  void gated(List<AdapterRun> runs, At at) {
    int next = 0;
    while (next < runs.size()) {
      AdapterRun run = runs.get(next++);
      if (isGated(run, at)) {
        sums(run, at);
        continue;
      }
      int end = run.from() + run.count();
      while (next < runs.size() && !isGated(runs.get(next), at)) {
        end += runs.get(next++).count();
      }
      Activations.Chunk chunk = at.chunk();
      int count = end - run.from();
      kernels.gatedLinear(
          chunk.normed().sliceAndBeyond(run.from(), count),
          at.layer().gate(),
          at.layer().up(),
          config.hiddenAct(),
          chunk.up().sliceAndBeyond(run.from(), count),
          chunk.gated().sliceAndBeyond(run.from(), count));
    }
  }

  private static boolean isGated(AdapterRun run, At at) {
    return run.branch(at.index(), Projection.GATE).isPresent()
        || run.branch(at.index(), Projection.UP).isPresent();
  }

  private void sums(AdapterRun run, At at) {
    Activations.Chunk chunk = at.chunk();
    if (chunk.gated().type() == ElementType.F32) {
      Wide sums =
          new Wide(
              chunk.gated().sliceAndBeyond(run.from(), run.count()),
              chunk.up().sliceAndBeyond(run.from(), run.count()));
      sums(run, at, sums);
    } else {
      inPieces(
          run,
          (from, count) ->
              sums(
                  new AdapterRun(run.adapter(), from, count),
                  at,
                  new Wide(wide().first().first(count), wide().second().first(count))));
    }
  }

  /** The sums of gate and up go to the wide matrices, which have the run's rows. */
  private void sums(AdapterRun run, At at, Wide sums) {
    Matrix x = at.chunk().normed().sliceAndBeyond(run.from(), run.count());
    kernels.linear(x, at.layer().up(), sums.second());
    kernels.linear(x, at.layer().gate(), sums.first());
    run.branch(at.index(), Projection.UP)
        .ifPresent(branch -> kernels.addLowRank(x, branch, sums.second()));
    run.branch(at.index(), Projection.GATE)
        .ifPresent(branch -> kernels.addLowRank(x, branch, sums.first()));
    Matrix gated = at.chunk().gated().slice(run.from(), run.count());
    kernels.activate(sums.first(), sums.second(), config.hiddenAct(), gated);
  }

  private interface Piece {
    void compute(int from, int count);
  }

  private static void inPieces(AdapterRun run, Piece piece) {
    int end = run.from() + run.count();
    for (int from = run.from(); from < end; from += PIECE) {
      piece.compute(from, Math.min(PIECE, end - from));
    }
  }

  private Wide wide() {
    if (wide.isEmpty()) {
      int columns = columns(config, kernels.precision());
      Matrix first = scratch.matrix(ElementType.F32, PIECE, columns);
      boolean both = kernels.precision().feedForward() != ElementType.F32;
      wide =
          Optional.of(
              new Wide(first, both ? scratch.matrix(ElementType.F32, PIECE, columns) : first));
    }
    return wide.get();
  }

  private static int columns(MistralConfig config, Precision precision) {
    int values = Projection.VALUE.outputs(config);
    return precision.feedForward() == ElementType.F32
        ? values
        : Math.max(values, Projection.UP.outputs(config));
  }

  /**
   * Upper bound of the native memory, in bytes, that batches with adapters take beside the
   * workspace of those without; {@code rank} is the largest of them.
   */
  static long workspaceBytes(MistralConfig config, Precision precision, int rank) {
    long own = 0;
    if (precision.activation() != ElementType.F32) {
      own = 2 * Workspace.bytes(ElementType.F32, PIECE, columns(config, precision));
    }
    // What kernels widen, and what lies between their two products.
    long inputs = Math.max(config.intermediateSize(), Projection.QUERY.outputs(config));
    long widest = Math.max(inputs, config.hiddenSize());
    return own + PIECE * (widest + rank + 16L) * Float.BYTES + 2 * widest * Float.BYTES;
  }

  @Override
  public void close() {
    scratch.close();
    wide = Optional.empty();
  }
}
