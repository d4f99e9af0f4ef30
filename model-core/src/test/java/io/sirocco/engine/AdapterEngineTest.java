package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.adapter.LoraAdapter;
import io.sirocco.adapter.TestAdapter;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.model.Projection;
import io.sirocco.sampling.GenerationKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows of several adapters in one engine have the answers of engines with one each, by the bit. */
class AdapterEngineTest {
  private static final Path CLASSIFIER = WriterModel.SAMPLES.resolve("ticket-classifier");
  private static final Path WRITER = WriterModel.SAMPLES.resolve("ticket-writer");
  private static final Set<Projection> ALL = EnumSet.allOf(Projection.class);
  private static final Set<Projection> QUERY_AND_VALUE =
      EnumSet.of(Projection.QUERY, Projection.VALUE);
  private static final String INSTRUCTION =
      "You read one message of a customer and decide which team has to answer it, whatever else the"
          + " message says, and however it says it.\n\nMessage: ";

  @TempDir Path folder;

  /** Of different reach: all linear layers with a head, two of them, gates only. */
  private Map<String, String> adapters(Path model, boolean heads) {
    TestAdapter whole = TestAdapter.of(model, 1).on(ALL);
    return Map.of(
        "whole", (heads ? whole.score() : whole).write(folder.resolve("whole")).toString(),
        "attention",
            TestAdapter.of(model, 2)
                .as(ElementType.BF16)
                .on(QUERY_AND_VALUE)
                .write(folder.resolve("attention"))
                .toString(),
        "gates",
            TestAdapter.of(model, 3)
                .on(EnumSet.of(Projection.GATE, Projection.ATTENTION_OUT))
                .write(folder.resolve("gates"))
                .toString());
  }

  private static List<RowRequest> rows(int from, int count) {
    return SampleModel.tickets().values().stream()
        .skip(from)
        .limit(count)
        .map(ticket -> RowRequest.of(new RowInput.Text(INSTRUCTION + ticket)))
        .toList();
  }

  /** Each row with another adapter than the one before, and some with none. */
  private static List<RowRequest> mixed(List<RowRequest> rows, Map<String, String> adapters) {
    List<String> names = new ArrayList<>(List.of(""));
    adapters.keySet().stream().sorted().forEach(names::add);
    List<RowRequest> mixed = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      mixed.add(rows.get(i).with(names.get(i * 7 % 5 % names.size())));
    }
    return mixed;
  }

  private void assertMixedEqualsSingle(EngineOptions options, List<RowRequest> rows)
      throws Exception {
    Map<String, String> folders = adapters(Path.of(options.model()), isClassifier(options));
    List<RowRequest> mixed = mixed(rows, folders);
    List<String> together = answers(options.withAdapters(AdapterOptions.byRow(folders)), mixed);
    Reuse shared = Reuse.NONE.withBeginning(new Beginning.Text(INSTRUCTION)).withAnswers(1 << 20);
    assertThat(
            answers(options.withAdapters(AdapterOptions.byRow(folders)).withReuse(shared), mixed))
        .as("with a shared beginning and known answers")
        .isEqualTo(together);
    int different = 0;
    for (String name : List.of("", "whole", "attention", "gates")) {
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < mixed.size(); i++) {
        if (mixed.get(i).adapter().equals(name)) {
          places.add(i);
        }
      }
      assertThat(places).as("rows of %s", name).isNotEmpty();
      AdapterOptions only =
          name.isEmpty() ? AdapterOptions.NONE : AdapterOptions.ofEveryRow(folders.get(name));
      List<String> single =
          answers(options.withAdapters(only), places.stream().map(rows::get).toList());
      assertThat(places.stream().map(together::get).toList()).as(name).isEqualTo(single);
      List<String> plain = answers(options, places.stream().map(rows::get).toList());
      different += plain.equals(single) ? 0 : 1;
    }
    assertThat(different).as("adapters that change answers").isEqualTo(3);
  }

  /** Of batches that hold a few rows. */
  private static EngineOptions small(Setting setting, EngineOptions options) {
    return setting.of(options).withBatchTokens(300);
  }

  private static boolean isClassifier(EngineOptions options) {
    return options.task() instanceof Task.Classify;
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void classified(Setting setting) throws Exception {
    int count = setting.kernels() == KernelChoice.JAVA ? 10 : 40;
    assertMixedEqualsSingle(small(setting, SampleModel.options()), rows(0, count));
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void scored(Setting setting) throws Exception {
    Task task =
        new Task.Score(List.of("billing", "billing and refunds", "bug"), " ", Prompts.plain());
    int count = setting.kernels() == KernelChoice.JAVA ? 8 : 20;
    assertMixedEqualsSingle(small(setting, WriterModel.options(task)), rows(0, count));
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void embedded(Setting setting) throws Exception {
    int count = setting.kernels() == KernelChoice.JAVA ? 8 : 20;
    for (PoolingChoice pooling : List.of(PoolingChoice.LAST, PoolingChoice.MEAN)) {
      Task task = EmbedModel.task(pooling);
      assertMixedEqualsSingle(small(setting, WriterModel.options(task)), rows(0, count));
    }
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void written(Setting setting) throws Exception {
    boolean logprobs = true;
    int count = setting.kernels() == KernelChoice.JAVA ? 6 : 16;
    Task drawn =
        new Task.Generate(
            WriterModel.sampled(5).with(GenerationKey.N, 2),
            Prompts.plain(),
            WriterModel.AMPLE,
            7,
            logprobs);
    assertMixedEqualsSingle(small(setting, WriterModel.options(drawn)), rows(0, count));
    Task beams =
        new Task.Generate(
            WriterModel.greedy(4).with(GenerationKey.NUM_BEAMS, 3),
            Prompts.plain(),
            WriterModel.AMPLE,
            12,
            logprobs);
    assertMixedEqualsSingle(small(setting, WriterModel.options(beams)), rows(20, 6));
  }

  @Test
  void anAdapterThatAddsNothingChangesNoBit() throws Exception {
    String nothing = TestAdapter.of(CLASSIFIER, 5).on(QUERY_AND_VALUE, 0f).write(folder).toString();
    for (Setting setting : Setting.here().toList()) {
      EngineOptions options = small(setting, SampleModel.options());
      assertThat(answers(options.withAdapters(AdapterOptions.ofEveryRow(nothing)), rows(0, 8)))
          .isEqualTo(answers(options, rows(0, 8)));
    }
  }

  @Test
  void unknownAdaptersFailTheRowAlone() throws Exception {
    Map<String, String> folders = adapters(CLASSIFIER, true);
    EngineOptions options = SampleModel.options().withAdapters(AdapterOptions.byRow(folders));
    try (Engine engine = Engine.open(options)) {
      RowRequest row = rows(0, 1).get(0);
      RowOutcome.Failed failed = (RowOutcome.Failed) engine.submit(row.with("x".repeat(100))).get();
      assertThat(failed.code().code()).isEqualTo("unknown-adapter");
      assertThat(failed.message())
          .isEqualTo(
              "there is no adapter '" + "x".repeat(60) + "...'; there are attention, gates, whole");
      assertThat(engine.submit(row.with("gates")).get()).isInstanceOf(RowOutcome.Scored.class);
      assertThat(engine.plan().adapters()).containsOnlyKeys("attention", "gates", "whole");
      assertThat(engine.plan().notes())
          .anyMatch(note -> note.startsWith("adapter gates: LoRA of rank 4"));
      assertThat(engine.plan().memory().weightsCopied()).isPositive();
    }
  }

  /** A classifier that was trained on a language model: it alone has a head. */
  @Test
  void theHeadOfAnAdapterIsEnough() throws Exception {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("model.safetensors", "tokenizer.json")) {
      Files.copy(WRITER.resolve(file), base.resolve(file));
    }
    Files.writeString(
        base.resolve("config.json"),
        Files.readString(WRITER.resolve("config.json"))
            .replaceFirst("\\{", "{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"},"));
    String adapter = TestAdapter.of(base, 7).on(ALL).score().write(folder.resolve("a")).toString();
    EngineOptions plain = SampleModel.options().withModel(base.toString());
    assertThatThrownBy(() -> Engine.open(plain).close()).hasMessageContaining("score.weight");
    EngineOptions options = plain.withAdapters(AdapterOptions.byRow(Map.of("a", adapter)));
    try (Engine engine = Engine.open(options)) {
      RowRequest row = rows(0, 1).get(0);
      RowOutcome.Scored scored = (RowOutcome.Scored) engine.submit(row.with("a")).get();
      assertThat(scored.logits()).hasSize(3);
      assertThat(((RowOutcome.Failed) engine.submit(row).get()).code())
          .isEqualTo(RowErrorCode.UNKNOWN_ADAPTER);
      assertThat(engine.plan().labels().orElseThrow().names()).containsExactly("a", "b", "c");
    }
    assertThat(ModelFiles.open(options).variants()).as("the adapter's alone").isEqualTo(1);
  }

  /** Whose own head has other labels, of which no row has need. */
  @Test
  void theModelsHeadIsNotReadWhereEveryRowHasAnother() throws Exception {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("model.safetensors", "tokenizer.json")) {
      Files.copy(CLASSIFIER.resolve(file), base.resolve(file));
    }
    ObjectNode config =
        (ObjectNode) new ObjectMapper().readTree(CLASSIFIER.resolve("config.json").toFile());
    config.remove("label2id");
    config.putObject("id2label").put("0", "a").put("1", "b").put("2", "c");
    Files.writeString(base.resolve("config.json"), config.toString());
    String adapter = TestAdapter.of(base, 7).on(ALL).score().write(folder.resolve("a")).toString();
    EngineOptions plain = SampleModel.options().withModel(base.toString());
    AdapterOptions named = AdapterOptions.byRow(Map.of("a", adapter));
    assertThatThrownBy(() -> Engine.open(plain.withAdapters(named)).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("score.weight");
    EngineOptions every = plain.withAdapters(AdapterOptions.ofEveryRow(adapter));
    try (Engine engine = Engine.open(every)) {
      RowOutcome.Scored scored = (RowOutcome.Scored) engine.submit(rows(0, 1).get(0)).get();
      assertThat(scored.logits()).hasSize(3);
    }
  }

  /** What is not needed of a prefix is not reserved, either. */
  @Test
  void aPrefixIsOfTheAdaptersAndOfTheModelWhereThatAnswers() {
    Map<String, String> folders = adapters(CLASSIFIER, true);
    EngineOptions options = SampleModel.options();
    assertThat(ModelFiles.open(options).variants()).isEqualTo(1);
    assertThat(ModelFiles.open(options.withAdapters(AdapterOptions.byRow(folders))).variants())
        .isEqualTo(4);
    AdapterOptions every = AdapterOptions.ofEveryRow(folders.get("whole"));
    assertThat(ModelFiles.open(options.withAdapters(every)).variants()).isEqualTo(1);
  }

  @Test
  void adaptersThatDoNotFitAreRefused() throws IOException {
    String classifier =
        TestAdapter.of(WRITER, 1).on(ALL).score().write(folder.resolve("c")).toString();
    EngineOptions writes = WriterModel.options(WriterModel.writing(WriterModel.greedy(4)));
    assertThatThrownBy(
            () -> Engine.open(writes.withAdapters(AdapterOptions.ofEveryRow(classifier))).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("only task: classify uses");
    Files.writeString(folder.resolve("c").resolve("adapter_config.json"), "{");
    assertThatThrownBy(
            () -> Engine.plan(writes.withAdapters(AdapterOptions.ofEveryRow(classifier))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("is not valid JSON");
  }

  @Test
  void theFingerprintHoldsTheAdapters() {
    Map<String, String> folders = adapters(CLASSIFIER, true);
    EngineOptions options = SampleModel.options();
    Set<String> fingerprints =
        Set.of(
            Engine.plan(options).fingerprint(),
            Engine.plan(options.withAdapters(AdapterOptions.byRow(folders))).fingerprint(),
            Engine.plan(options.withAdapters(AdapterOptions.ofEveryRow(folders.get("gates"))))
                .fingerprint(),
            Engine.plan(options.withAdapters(AdapterOptions.ofEveryRow(folders.get("whole"))))
                .fingerprint());
    assertThat(fingerprints).hasSize(4);
    String gates = folders.get("gates");
    String one = LoraAdapter.open(Path.of(gates)).fingerprint();
    AdapterOptions two = AdapterOptions.byRow(Map.of("a", gates, "b", gates));
    AdapterOptions forged = AdapterOptions.byRow(Map.of("a\n" + one + "\nb", gates));
    assertThat(Engine.plan(options.withAdapters(forged)).fingerprint())
        .as("a name like a list")
        .isNotEqualTo(Engine.plan(options.withAdapters(two)).fingerprint());
  }

  @Test
  void anAdaptersFolderIsInspected() {
    TestAdapter.of(CLASSIFIER, 5).on(QUERY_AND_VALUE).write(folder);
    Inspection good = Inspection.of(folder);
    assertThat(good.kind()).isEqualTo(Inspection.Kind.ADAPTER);
    assertThat(good.problems()).isEmpty();
    assertThat(good.notes()).anyMatch(note -> note.contains("of rank 4, alpha 8, on q_proj"));
    assertThat(good.weights()).containsOnlyKeys("F32");
    TestAdapter.of(CLASSIFIER, 5).on(ALL).put("use_dora", "true").write(folder);
    assertThat(Inspection.of(folder).problems()).singleElement().asString().contains("DoRA");
  }

  private static List<String> answers(EngineOptions options, List<RowRequest> rows)
      throws Exception {
    try (Engine engine = Engine.open(options)) {
      return Answers.bits(Answers.asked(engine, rows));
    }
  }
}
