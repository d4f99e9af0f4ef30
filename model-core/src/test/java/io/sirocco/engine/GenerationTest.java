package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.sampling.FinishReason;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class GenerationTest {

  @Test
  void chatsAreAnsweredAsByTheReference() throws Exception {
    Task.Generate task = WriterModel.writing(WriterModel.greedy(48));
    try (Engine engine = Engine.open(WriterModel.options(task))) {
      List<Future<RowOutcome>> outcomes = new ArrayList<>();
      for (JsonNode chat : WriterModel.lines("chats.jsonl")) {
        outcomes.add(engine.submit(WriterModel.chat(chat)));
      }
      List<JsonNode> expected = WriterModel.lines("expected-generate.jsonl");
      assertThat(outcomes).hasSameSizeAs(expected).hasSize(20);
      for (int i = 0; i < expected.size(); i++) {
        RowOutcome.Generated got = (RowOutcome.Generated) outcomes.get(i).get();
        JsonNode wanted = expected.get(i);
        assertThat(got.tokenCount()).hasValue(wanted.path("input_ids").size());
        assertThat(got.samples()).hasSize(1);
        assertThat(got.samples().get(0).ids())
            .as(wanted.path("id").asText())
            .isEqualTo(WriterModel.JSON.convertValue(wanted.path("output_ids"), int[].class));
        assertThat(got.samples().get(0).text()).isEqualTo(wanted.path("text").asText());
      }
    }
  }

  @Test
  void samplesDependOnTheKeyTheSeedAndTheirIndexAlone() throws Exception {
    GenerationOptions three = WriterModel.sampled(24).with(GenerationKey.N, 3);
    List<String> texts = texts(three, "a");
    assertThat(new HashSet<>(texts)).hasSize(3);
    assertThat(texts(three, "a")).isEqualTo(texts);
    assertThat(texts(three, "b")).doesNotContainAnyElementsOf(texts);
    assertThat(texts(three.with(GenerationKey.SEED, 1L), "a")).doesNotContainAnyElementsOf(texts);
    assertThat(texts(WriterModel.sampled(24), "a")).containsExactly(texts.get(0));
  }

  private static List<String> texts(GenerationOptions options, String key) throws Exception {
    RowInput input = new RowInput.Text("Write a support ticket about billing. Tone: polite.");
    try (Engine engine = Engine.open(WriterModel.options(WriterModel.writing(options)))) {
      RowOutcome outcome = engine.submit(new RowRequest(input, key, List.of())).get();
      return ((RowOutcome.Generated) outcome).samples().stream().map(Generation::text).toList();
    }
  }

  @Test
  void aStopStringEndsTheTextAndIsNotInIt() throws Exception {
    RowRequest row = WriterModel.chat(WriterModel.lines("chats.jsonl").get(0));
    String whole = generate(WriterModel.greedy(48), row).text();
    assertThat(whole).startsWith("Hi support,").contains("euros");
    Generation cut =
        generate(
            WriterModel.greedy(48).with(GenerationKey.STOP_STRINGS, List.of("in euro", "never")),
            row);
    assertThat(cut.reason()).isEqualTo(FinishReason.STOP_STRING);
    assertThat(cut.text()).isEqualTo(whole.substring(0, whole.indexOf("in euro")));
    Generation atOnce =
        generate(WriterModel.greedy(48).with(GenerationKey.STOP_STRINGS, List.of("i")), row);
    assertThat(atOnce.text()).isEqualTo("H");
  }

  private static Generation generate(GenerationOptions options, RowRequest row) throws Exception {
    try (Engine engine = Engine.open(WriterModel.options(WriterModel.writing(options)))) {
      return ((RowOutcome.Generated) engine.submit(row).get()).samples().get(0);
    }
  }

  @Test
  void logProbabilitiesAreThoseOfScoringTheText() throws Exception {
    RowRequest row = WriterModel.chat(WriterModel.lines("chats.jsonl").get(1));
    Generation answer = generate(WriterModel.greedy(8), row);
    assertThat(answer.text()).isEqualTo("praise");
    assertThat(answer.logprobs()).hasSameSizeAs(answer.ids());
    Task.Score score = new Task.Score(List.of("praise", "bug"), " ", Prompts.chat(""));
    try (Engine engine = Engine.open(WriterModel.options(score))) {
      RowOutcome.Labelled labelled = (RowOutcome.Labelled) engine.submit(row).get();
      assertThat(labelled.labels()).containsExactly("praise", "bug");
      assertThat(labelled.logprobs()[0])
          .isCloseTo(answer.logprobs()[0], org.assertj.core.api.Assertions.within(1e-4));
      assertThat(labelled.logprobs()[1]).isLessThan(labelled.logprobs()[0]);
    }
  }

  @Test
  void badConversationsAndTooLargeRowsGetTheirCode() throws Exception {
    Task.Generate small =
        new Task.Generate(WriterModel.greedy(8), Prompts.chat(""), 200_000, 4, false);
    try (Engine engine = Engine.open(WriterModel.options(small))) {
      assertThat(code(engine, new RowInput.Chat("nonsense"))).isEqualTo("bad-messages");
      assertThat(code(engine, new RowInput.Chat("[]"))).isEqualTo("bad-messages");
      assertThat(code(engine, new RowInput.Chat("[1]"))).isEqualTo("bad-messages");
      assertThat(code(engine, new RowInput.Chat("[".repeat(100_000)))).isEqualTo("bad-messages");
      assertThat(code(engine, new RowInput.Chat("[{\"role\":\"assistant\",\"content\":\"x\"}]")))
          .isEqualTo("template-error");
      assertThat(code(engine, new RowInput.Text(" "))).isEqualTo("empty-text");
      assertThat(code(engine, new RowInput.Text("far too much ".repeat(100))))
          .isEqualTo("kv-memory");
    }
  }

  private static String code(Engine engine, RowInput input) throws Exception {
    return ((RowOutcome.Failed) engine.submit(RowRequest.of(input)).get()).code().code();
  }

  @Test
  void labelsAreNotLongerTogetherThanARowMayBe() throws Exception {
    Task.Score score = new Task.Score(List.of(), " ", Prompts.chat(""));
    try (Engine engine = Engine.open(WriterModel.options(score))) {
      RowInput text = new RowInput.Text("Is it praise or a bug?");
      RowRequest tooLong = new RowRequest(text, "", List.of("a ".repeat(50_000), "b"));
      assertThat(((RowOutcome.Failed) engine.submit(tooLong).get()).code())
          .isEqualTo(RowErrorCode.BAD_LABELS);
      assertThat(engine.submit(new RowRequest(text, "", List.of("a ".repeat(400), "b"))).get())
          .isInstanceOf(RowOutcome.Labelled.class);
    }
  }

  @Test
  void settingsThatMakeNoSenseAreRefusedBeforeAnyRow() {
    GenerationOptions cold =
        WriterModel.greedy(8)
            .with(GenerationKey.DO_SAMPLE, true)
            .with(GenerationKey.TEMPERATURE, 0.0);
    assertThatThrownBy(() -> Engine.open(WriterModel.options(WriterModel.writing(cold))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("temperature");
  }

  @Test
  void tensOfThousandsOfRowsPassThroughAFewPlaces() throws Exception {
    GenerationOptions short8 = WriterModel.greedy(8).with(GenerationKey.IGNORE_EOS, true);
    long places = 16 * placeBytes();
    Task.Generate task = new Task.Generate(short8, Prompts.chat(""), places, 64, false);
    try (Engine engine = Engine.open(WriterModel.options(task))) {
      long most = 0;
      List<Future<RowOutcome>> waiting = new ArrayList<>();
      int done = 0;
      for (int i = 0; i < 10_000; i++) {
        waiting.add(engine.submit(WriterModel.ask(i)));
        most = Math.max(most, engine.allocator().getAllocatedMemory());
        if (waiting.size() == 500) {
          done += answered(waiting);
        }
      }
      done += answered(waiting);
      assertThat(done).isEqualTo(10_000);
      assertThat(most).isLessThan(places + (48 << 20));
    }
  }

  private static int answered(List<Future<RowOutcome>> waiting) throws Exception {
    int texts = 0;
    for (Future<RowOutcome> outcome : waiting) {
      texts += ((RowOutcome.Generated) outcome.get()).samples().size();
    }
    waiting.clear();
    return texts;
  }

  /** Keys and values of a row of the largest size below, in all layers. */
  private static long placeBytes() {
    int tokens = 48;
    int kvColumns = 2 * 32;
    int layers = 5;
    return 2L * layers * tokens * kvColumns * Float.BYTES;
  }

  @Test
  void rowsThatAreGivenUpLeaveTheirPlaces() throws Exception {
    GenerationOptions endless = WriterModel.greedy(100_000).with(GenerationKey.IGNORE_EOS, true);
    Task.Generate task = new Task.Generate(endless, Prompts.chat(""), WriterModel.AMPLE, 4, false);
    Future<RowOutcome> next;
    try (Engine engine = Engine.open(WriterModel.options(task))) {
      List<Future<RowOutcome>> rows = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        rows.add(engine.submit(WriterModel.ask(i)));
      }
      Thread.sleep(300);
      boolean interrupt = false;
      rows.forEach(row -> row.cancel(interrupt));
      next = engine.submit(WriterModel.ask(9));
      long deadline = System.nanoTime() + 60_000_000_000L;
      long oneRow = 2L * 5 * 128 * 64 * Float.BYTES;
      // None at all for a moment: those before have gone, the next one has not started.
      while (kvBytes(engine) != oneRow && System.nanoTime() < deadline) {
        Thread.sleep(20);
      }
      assertThat(kvBytes(engine)).isEqualTo(oneRow);
    }
    assertThatThrownBy(next::get).isInstanceOf(ExecutionException.class);
  }

  private static long kvBytes(Engine engine) {
    return engine.allocator().getChildAllocators().stream()
        .filter(child -> child.getName().equals("kv-cache"))
        .mapToLong(child -> child.getAllocatedMemory())
        .sum();
  }

  @Test
  void whatRunsBesideARowChangesNoBit() throws Exception {
    for (GenerationOptions options :
        List.of(
            WriterModel.greedy(20),
            WriterModel.sampled(20).with(GenerationKey.N, 2),
            WriterModel.greedy(12).with(GenerationKey.NUM_BEAMS, 3))) {
      Set<List<List<Float>>> results = new HashSet<>();
      for (int sequences : new int[] {1, 8, 64}) {
        for (int threads : new int[] {1, 2}) {
          Task.Generate task =
              new Task.Generate(options, Prompts.chat(""), WriterModel.AMPLE, sequences, true);
          results.add(logprobs(WriterModel.options(task).withThreads(threads)));
        }
      }
      assertThat(results).as("%s", options).hasSize(1);
    }
  }

  private static List<List<Float>> logprobs(EngineOptions options) throws Exception {
    try (Engine engine = Engine.open(options)) {
      List<Future<RowOutcome>> outcomes = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        outcomes.add(engine.submit(WriterModel.ask(i)));
      }
      List<List<Float>> all = new ArrayList<>();
      for (Future<RowOutcome> outcome : outcomes) {
        for (Generation text : ((RowOutcome.Generated) outcome.get()).samples()) {
          List<Float> one = new ArrayList<>();
          for (float logprob : text.logprobs()) {
            one.add(logprob);
          }
          all.add(one);
        }
      }
      return all;
    }
  }
}
