package io.sirocco.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The sample data's writer, and how tests open it. */
final class WriterModel {
  static final ObjectMapper JSON = new ObjectMapper();
  static final Path SAMPLES = Path.of("../sample-data");
  static final long AMPLE = 256L << 20;

  private WriterModel() {}

  static EngineOptions options(Task task) {
    return options(SAMPLES.resolve("ticket-writer"), task);
  }

  /** Of another model than the sample. */
  static EngineOptions options(Path model, Task task) {
    return EngineOptions.of(model.toString(), task)
        .withPrecision(PrecisionChoice.FLOAT32)
        .withThreads(2)
        .withMaxTokens(1024);
  }

  /** Chats, with the library's own settings but for those given. */
  static Task.Generate writing(GenerationOptions options) {
    boolean logprobs = true;
    return new Task.Generate(options, Prompts.chat(""), AMPLE, 64, logprobs);
  }

  static GenerationOptions greedy(int tokens) {
    return GenerationOptions.none().with(GenerationKey.MAX_NEW_TOKENS, tokens);
  }

  static GenerationOptions sampled(int tokens) {
    return greedy(tokens)
        .with(GenerationKey.DO_SAMPLE, true)
        .with(GenerationKey.TEMPERATURE, 0.8)
        .with(GenerationKey.TOP_P, 0.9);
  }

  static List<JsonNode> lines(String file) {
    try {
      return Files.readAllLines(SAMPLES.resolve(file)).stream()
          .map(
              line -> {
                try {
                  return JSON.readTree(line);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static RowRequest chat(JsonNode line) {
    return new RowRequest(
        new RowInput.Chat(line.path("messages").toString()), line.path("id").asText(), List.of());
  }

  /** A prompt of the model's own kind. */
  static RowRequest ask(int number) {
    String about = List.of("billing", "shipping", "a bug", "praise").get(number % 4);
    return new RowRequest(
        new RowInput.Text("Write a support ticket about " + about + ", number " + number + "."),
        Integer.toString(number),
        List.of());
  }
}
