package io.sirocco.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The ticket classifier of sample-data, and what the reference says of its first 200 tickets. */
public final class SampleModel {
  private static final Path SAMPLES = Path.of("../sample-data");
  private static final ObjectMapper JSON = new ObjectMapper();

  private SampleModel() {}

  public static EngineOptions options() {
    return EngineOptions.of(SAMPLES.resolve("ticket-classifier").toString(), new Task.Classify())
        .withPrecision(PrecisionChoice.FLOAT32)
        .withThreads(2);
  }

  /** Texts by ticket id, in the file's order. */
  public static Map<String, String> tickets() {
    Map<String, String> texts = new LinkedHashMap<>();
    for (JsonNode ticket : lines("tickets.jsonl")) {
      texts.put(ticket.path("id").asText(), ticket.path("text").asText());
    }
    return texts;
  }

  public static List<JsonNode> expected() {
    return lines("expected-classify.jsonl");
  }

  private static List<JsonNode> lines(String file) {
    try {
      List<JsonNode> nodes = new ArrayList<>();
      for (String line : Files.readAllLines(SAMPLES.resolve(file))) {
        nodes.add(JSON.readTree(line));
      }
      return nodes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
