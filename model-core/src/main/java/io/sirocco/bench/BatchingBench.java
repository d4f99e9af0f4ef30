package io.sirocco.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.Generation;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import io.sirocco.engine.Task;
import io.sirocco.model.MistralConfig;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * What continuous batching is worth where texts are of very different lengths: the same rows, first
 * in static batches, each of which waits for its longest text, then all at once. Lengths are
 * geometric, since every so many ids of a random model end its text.
 */
public final class BatchingBench {
  private static final int PROMPT = 16;
  private static final int MEAN_LENGTH = 32;
  private static final int LONGEST = 256;
  private static final int ROWS_PER_PLACE = 8;

  private BatchingBench() {}

  /**
   * One line of a benchmark's result: new tokens a second of either way.
   *
   * @param precision of the activations
   * @param batch texts that are written at the same time
   * @param newTokens that were written, the same both times
   * @param gain how many times faster continuous batching is
   */
  public record Result(
      String test,
      String precision,
      int batch,
      @JsonProperty("new_tokens") long newTokens,
      @JsonProperty("static_tokens_per_second") double staticRate,
      @JsonProperty("continuous_tokens_per_second") double continuousRate,
      double gain) {}

  /** The config of a checkpoint. */
  public static MistralConfig config(Path checkpoint) {
    return MistralConfig.parse(Checkpoint.open(checkpoint).config(), checkpoint.toString());
  }

  /** What an engine is to be opened with, for batches of that size. */
  public static Task task(MistralConfig config, int batch) {
    List<Integer> ends =
        IntStream.iterate(0, id -> id < config.vocabSize(), id -> id + MEAN_LENGTH)
            .boxed()
            .toList();
    GenerationOptions options =
        GenerationOptions.none()
            .with(GenerationKey.MAX_NEW_TOKENS, LONGEST)
            .with(GenerationKey.DO_SAMPLE, true)
            .with(GenerationKey.TOP_K, 0)
            .with(GenerationKey.EOS_TOKEN_ID, ends);
    long kvMemory = 0;
    boolean logprobs = false;
    return new Task.Generate(options, Prompts.plain(), kvMemory, batch, logprobs);
  }

  /**
   * Measures.
   *
   * @param options with {@link #task}
   */
  public static Result run(EngineOptions options, int vocabulary, int batch)
      throws InterruptedException {
    try (Engine engine = Engine.open(options)) {
      List<RowRequest> rows = rows(vocabulary, batch * ROWS_PER_PLACE);
      write(engine, rows.subList(0, batch), batch);
      long start = System.nanoTime();
      long tokens = write(engine, rows, batch);
      double statically = tokens / ((System.nanoTime() - start) * 1e-9);
      start = System.nanoTime();
      long again = write(engine, rows, rows.size());
      double continuously = again / ((System.nanoTime() - start) * 1e-9);
      if (again != tokens) {
        throw new IllegalStateException(tokens + " tokens in batches, " + again + " otherwise");
      }
      String precision = engine.plan().precision().name().toLowerCase(Locale.ROOT);
      return new Result(
          "batching",
          precision,
          batch,
          tokens,
          statically,
          continuously,
          continuously / statically);
    }
  }

  /** Hands in {@code atOnce} rows, waits for all of them, hands in the next; the new tokens. */
  private static long write(Engine engine, List<RowRequest> rows, int atOnce)
      throws InterruptedException {
    long tokens = 0;
    for (int from = 0; from < rows.size(); from += atOnce) {
      List<Future<RowOutcome>> outcomes = new ArrayList<>();
      for (RowRequest row : rows.subList(from, Math.min(rows.size(), from + atOnce))) {
        outcomes.add(engine.submit(row));
      }
      for (Future<RowOutcome> outcome : outcomes) {
        tokens += tokens(outcome);
      }
    }
    return tokens;
  }

  private static long tokens(Future<RowOutcome> outcome) throws InterruptedException {
    try {
      if (outcome.get() instanceof RowOutcome.Generated generated) {
        return generated.samples().stream().map(Generation::ids).mapToLong(ids -> ids.length).sum();
      }
      throw new IllegalStateException("a row failed: " + outcome.get());
    } catch (ExecutionException e) {
      throw new IllegalStateException("the engine failed", e.getCause());
    }
  }

  private static List<RowRequest> rows(int vocabulary, int count) {
    SplittableRandom random = new SplittableRandom(count);
    List<RowRequest> rows = new ArrayList<>();
    for (int row = 0; row < count; row++) {
      int[] ids = random.ints(PROMPT, 0, vocabulary).toArray();
      rows.add(
          new RowRequest(
              new RowInput.Tokens(ids, Optional.empty()), Integer.toString(row), List.of()));
    }
    return rows;
  }
}
