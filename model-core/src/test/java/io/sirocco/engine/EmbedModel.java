package io.sirocco.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The sample models as embedders, whose heads nobody reads. */
final class EmbedModel {
  static final Path CLASSIFIER = Path.of("../sample-data/ticket-classifier");
  static final Path WRITER = Path.of("../sample-data/ticket-writer");

  private EmbedModel() {}

  /** Nothing chosen by the job. */
  static Task.Embed task() {
    return Task.Embed.ofFolder();
  }

  static Task.Embed task(PoolingChoice pooling) {
    return new Task.Embed(pooling, Toggle.AUTO, 0, EmbedPrompt.ofFolder(), Toggle.AUTO);
  }

  static EngineOptions options(Path model, Task task) {
    return EngineOptions.of(model.toString(), task)
        .withPrecision(PrecisionChoice.FLOAT32)
        .withThreads(2);
  }

  /** A copy of the model, to which files can be added. */
  static Path copy(Path model, Path folder) {
    try {
      for (String file :
          List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")) {
        Files.copy(model.resolve(file), folder.resolve(file));
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static RowRequest text(String text) {
    return RowRequest.of(new RowInput.Text(text));
  }

  static RowRequest tokens(int... ids) {
    return RowRequest.of(new RowInput.Tokens(ids, Optional.empty()));
  }

  static RowRequest masked(int[] ids, int... mask) {
    return RowRequest.of(new RowInput.Tokens(ids, Optional.of(mask)));
  }

  static float[] embedding(RowAnswer answer) throws Exception {
    return ((RowOutcome.Embedded) answer.get()).embedding();
  }

  /** Of one row, by an engine of its own. */
  static float[] embedding(EngineOptions options, RowRequest row) throws Exception {
    try (Engine engine = Engine.open(options)) {
      return embedding(engine.submit(row));
    }
  }
}
