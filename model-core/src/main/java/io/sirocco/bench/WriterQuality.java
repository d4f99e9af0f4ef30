package io.sirocco.bench;

import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.KernelSetup;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.TokenRow;
import io.sirocco.sampling.LogNormalizer;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** A writer's perplexity over a sample's texts, by precision. */
public final class WriterQuality {
  private static final int BATCH_TOKENS = 2048;

  /** Logits take vocab_size floats for each of them. */
  private static final int HEAD_TOKENS = 256;

  private final Path checkpoint;
  private final KernelChoice kernels;
  private final int threads;
  private final List<int[]> rows;
  private final double reference;

  /**
   * Computes the sample in float32.
   *
   * @param texts those of fewer than two tokens, or of more than {@code maxTokens}, do not count
   */
  public WriterQuality(
      Path checkpoint, KernelChoice kernels, int threads, List<String> texts, int maxTokens) {
    this.checkpoint = checkpoint;
    this.kernels = kernels;
    this.threads = threads;
    this.rows = rows(checkpoint, texts, maxTokens);
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("no text of the sample has 2 to " + maxTokens + " tokens");
    }
    this.reference = perplexity(PrecisionChoice.FLOAT32);
  }

  private static List<int[]> rows(Path checkpoint, List<String> texts, int maxTokens) {
    // Text that names a control token is that token: a sample may be whole conversations.
    try (Tokenizer tokenizer = Tokenizer.open(checkpoint, SpecialTokenText.PARSE)) {
      return texts.stream()
          .map(text -> tokenizer.encode(text).ids())
          .filter(ids -> ids.length > 1 && ids.length <= maxTokens)
          .toList();
    }
  }

  /** float32 itself. */
  public QualityResult reference() {
    return result("float32", reference);
  }

  /** Computes the sample in that precision. */
  public QualityResult of(PrecisionChoice precision, String name) {
    return result(name, perplexity(precision));
  }

  private QualityResult result(String precision, double perplexity) {
    long tokens = rows.stream().mapToLong(ids -> ids.length).sum();
    return new QualityResult(
        precision,
        rows.size(),
        tokens,
        Optional.empty(),
        Optional.of(new QualityResult.Perplexity(perplexity, perplexity / reference - 1)));
  }

  private double perplexity(PrecisionChoice precision) {
    KernelSetup setup = KernelSetup.of(kernels, precision);
    try (BufferAllocator allocator = new RootAllocator();
        Kernels opened = setup.open(threads, allocator);
        BenchModel model = BenchModel.open(checkpoint, "", opened, allocator)) {
      LanguageModelHead head = model.head();
      double sum = 0;
      long predicted = 0;
      List<TokenRow> batch = new ArrayList<>();
      int tokens = 0;
      for (int[] ids : rows) {
        if (!batch.isEmpty() && tokens + ids.length > BATCH_TOKENS) {
          sum += surprise(model, head, batch);
          batch.clear();
          tokens = 0;
        }
        batch.add(TokenRow.of(ids));
        tokens += ids.length;
        predicted += ids.length - 1;
      }
      sum += surprise(model, head, batch);
      return Math.exp(sum / predicted);
    }
  }

  /** The sum of -log p of every token but each row's first. */
  private static double surprise(BenchModel model, LanguageModelHead head, List<TokenRow> batch) {
    Matrix residual = model.decoder().forward(batch);
    double sum = 0;
    int first = 0;
    for (TokenRow row : batch) {
      for (int from = 0; from < row.length() - 1; from += HEAD_TOKENS) {
        int end = Math.min(row.length() - 1, from + HEAD_TOKENS);
        List<Integer> tokens = IntStream.range(first + from, first + end).boxed().toList();
        float[][] logits = head.logits(residual, tokens, model.allocator());
        for (int i = 0; i < logits.length; i++) {
          float logit = logits[i][row.ids()[from + i + 1]];
          sum -= LogNormalizer.of(logits[i]).logProbability(logit);
        }
      }
      first += row.length();
    }
    return sum;
  }
}
