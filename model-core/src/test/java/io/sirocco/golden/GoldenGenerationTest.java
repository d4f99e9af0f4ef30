package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.Generation;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import io.sirocco.engine.Task;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole texts against what the reference's generate() writes, token by token. */
class GoldenGenerationTest {
  private static final Path TOKENIZER = Path.of("../sample-data/ticket-writer/tokenizer.json");

  /** Errors that concern other things than generation. */
  private static final Set<String> OF_THE_MODEL = Set.of("id-out-of-range", "batch-without-pad");

  @TempDir Path folder;

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("generating")
  void textsAreTheReferences(GoldenFolder golden, KernelChoice kernels) throws Exception {
    Path model = withTokenizer(golden.path());
    int checked = 0;
    for (JsonNode wanted : golden.casesOf("generate")) {
      try (Engine engine = Engine.open(options(model, kernels, wanted))) {
        List<Future<RowOutcome>> outcomes = new ArrayList<>();
        for (RowRequest row : rows(golden, wanted)) {
          outcomes.add(engine.submit(row));
        }
        int sequence = 0;
        for (int row = 0; row < outcomes.size(); row++) {
          assertThat(outcomes.get(row).get()).isInstanceOf(RowOutcome.Generated.class);
          for (Generation text : ((RowOutcome.Generated) outcomes.get(row).get()).samples()) {
            if (dependsOnThatRowAlone(golden, wanted, row)) {
              assertText(golden, wanted, sequence, text);
              checked++;
            }
            sequence++;
          }
        }
        assertThat(sequence).isEqualTo(wanted.path("new_ids").size());
      }
    }
    System.out.printf("%s on %s: %d texts as the reference's%n", golden, kernels, checked);
  }

  /**
   * Where the rotary embedding depends on a length, the reference takes that of a batch's longest
   * row, so that the others' texts depend on it; ours never depend on another row.
   */
  private static boolean dependsOnThatRowAlone(GoldenFolder golden, JsonNode wanted, int row) {
    JsonNode rows = wanted.path("attention_mask");
    if (!golden.cases().path("history_dependent").asBoolean() || rows.size() < 2) {
      return true;
    }
    return IntStream.of(GoldenFolder.integers(rows.get(row))).allMatch(mask -> mask == 1);
  }

  private static void assertText(
      GoldenFolder golden, JsonNode wanted, int sequence, Generation text) {
    String what = golden + " " + wanted.path("name").asText() + " text " + sequence;
    int[] ids = GoldenFolder.integers(wanted.path("new_ids").get(sequence));
    int[] mine = text.ids();
    assertThat(Arrays.copyOf(ids, Math.min(ids.length, mine.length))).as(what).isEqualTo(mine);
    Set<Integer> filling = new HashSet<>();
    for (int i = mine.length; i < ids.length; i++) {
      filling.add(ids[i]);
    }
    assertThat(filling).as(what + ": what is behind the end").hasSizeLessThanOrEqualTo(1);
    if (wanted.has("finish")) {
      String finish = wanted.path("finish").get(sequence).asText();
      assertThat(text.reason()).as(what).hasToString(finish.equals("eos") ? "stop" : finish);
    }
    if (wanted.has("sequences_scores")) {
      double score = wanted.path("sequences_scores").get(sequence).asDouble();
      assertThat(text.cumulativeLogprob()).as(what).isCloseTo(score, within(2e-4));
    }
  }

  /** None of these cases is in this repository's own part. */
  @ParameterizedTest(name = "{0} on {1}", allowZeroInvocations = true)
  @MethodSource("refusing")
  void whatTheReferenceRefusesIsRefused(GoldenFolder golden, KernelChoice kernels)
      throws Exception {
    Path model = withTokenizer(golden.path());
    for (JsonNode wanted : golden.casesOf("error")) {
      if (OF_THE_MODEL.contains(wanted.path("name").asText())) {
        continue;
      }
      if (wanted.path("name").asText().equals("prompt-fills-max-length")) {
        try (Engine engine = Engine.open(options(model, kernels, wanted))) {
          RowOutcome outcome = engine.submit(rows(golden, wanted).get(0)).get();
          assertThat(((RowOutcome.Failed) outcome).code().code()).isEqualTo("too-long");
        }
      } else {
        assertThatThrownBy(() -> Engine.open(options(model, kernels, wanted)).close())
            .as(wanted.path("name").asText())
            .isInstanceOf(ModelException.class);
      }
    }
  }

  /** Pads of a row are masked, as generate() does by itself where no mask is given. */
  private static List<RowRequest> rows(GoldenFolder golden, JsonNode wanted) throws IOException {
    List<RowRequest> rows = new ArrayList<>();
    JsonNode settings = wanted.path("generation_config");
    JsonNode ownSettings = generationConfig(golden);
    for (int row = 0; row < wanted.path("input_ids").size(); row++) {
      int[] ids = GoldenFolder.integers(wanted.path("input_ids").get(row));
      Optional<int[]> mask =
          wanted.has("attention_mask")
              ? Optional.of(GoldenFolder.integers(wanted.path("attention_mask").get(row)))
              : inferred(ids, settings, ownSettings);
      rows.add(RowRequest.of(new RowInput.Tokens(ids, mask)));
    }
    return rows;
  }

  private static Optional<int[]> inferred(int[] ids, JsonNode settings, JsonNode ownSettings) {
    JsonNode pad = settings.path("pad_token_id");
    JsonNode eos =
        settings.has("eos_token_id")
            ? settings.get("eos_token_id")
            : ownSettings.path("eos_token_id");
    boolean padEnds = eos.equals(pad);
    for (JsonNode end : eos) {
      padEnds |= end.equals(pad);
    }
    if (!pad.isInt() || padEnds) {
      return Optional.empty();
    }
    return Optional.of(Arrays.stream(ids).map(id -> id == pad.asInt() ? 0 : 1).toArray());
  }

  private static JsonNode generationConfig(GoldenFolder golden) throws IOException {
    Path file = golden.path().resolve("generation_config.json");
    return GoldenFolder.JSON.readTree(
        (Files.exists(file) ? file : golden.path().resolve("config.json")).toFile());
  }

  private static EngineOptions options(Path model, KernelChoice kernels, JsonNode wanted) {
    GenerationOptions settings =
        wanted.has("generation_config")
            ? GenerationOptions.fromJson(wanted.path("generation_config"), "case")
            : GenerationOptions.none();
    if (!settings.get(GenerationKey.MAX_NEW_TOKENS).isPresent()
        && !settings.get(GenerationKey.MAX_LENGTH).isPresent()) {
      // The library's default; ours is that of the job file.
      settings = settings.with(GenerationKey.MAX_NEW_TOKENS, 20);
    }
    boolean logprobs = false;
    return EngineOptions.of(
            model.toString(), new Task.Generate(settings, Prompts.plain(), 64 << 20, 64, logprobs))
        .withPrecision(PrecisionChoice.FLOAT32)
        .withKernels(kernels)
        .withThreads(2);
  }

  /** The golden models have no tokenizer, since their cases are ids. */
  private Path withTokenizer(Path model) throws IOException {
    Path copy = Files.createDirectory(folder.resolve("model"));
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    Files.copy(TOKENIZER, copy.resolve("tokenizer.json"));
    return copy;
  }

  static Stream<Arguments> generating() {
    return on(GoldenModelTest.folders().filter(golden -> !golden.casesOf("generate").isEmpty()));
  }

  static Stream<Arguments> refusing() {
    return on(
        GoldenModelTest.folders()
            .filter(
                golden ->
                    golden.casesOf("error").stream()
                        .anyMatch(wanted -> wanted.has("generation_config"))));
  }

  /** Adapters come later. */
  private static Stream<Arguments> on(Stream<GoldenFolder> folders) {
    return folders
        .filter(golden -> Files.exists(golden.path().resolve("config.json")))
        .flatMap(
            golden ->
                Stream.of(KernelChoice.JAVA, KernelChoice.ONEDNN)
                    .map(kernels -> Arguments.arguments(golden, kernels)));
  }
}
