package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.sampling.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Equal rows are computed once, and get the answers that they would have got for themselves. */
class DuplicatesTest {
  private static final Reuse REUSE = Reuse.NONE.withAnswers(Reuse.DEFAULT_ANSWER_BYTES);
  private static final int DISTINCT = 70;

  /** 100 rows, 30 of them equal to others. */
  private static List<RowRequest> tickets() {
    List<RowRequest> rows = new ArrayList<>();
    List<String> texts =
        SampleModel.tickets().values().stream().distinct().limit(DISTINCT).toList();
    for (int row = 0; row < 100; row++) {
      String text = texts.get(row < DISTINCT ? row : row * 7 % DISTINCT);
      rows.add(RowRequest.of(new RowInput.Text(text)));
    }
    return rows;
  }

  @Test
  void equalRowsAreComputedOnceAndAnsweredToTheBit() throws Exception {
    List<RowRequest> rows = tickets();
    List<float[]> expected = logits(SampleModel.options(), rows);
    try (Engine engine = Engine.open(SampleModel.options().withReuse(REUSE))) {
      List<RowAnswer> answers = Answers.asked(engine, rows);
      long tokens = 0;
      long saved = 0;
      for (int row = 0; row < rows.size(); row++) {
        RowOutcome.Scored scored = (RowOutcome.Scored) answers.get(row).get();
        assertThat(scored.logits()).isEqualTo(expected.get(row));
        assertThat(answers.get(row).cost().isDuplicate())
            .as("row " + row)
            .isEqualTo(row >= DISTINCT);
        tokens += scored.tokenCount().getAsInt();
        saved += row >= DISTINCT ? scored.tokenCount().getAsInt() : 0;
      }
      EngineStatistics statistics = engine.statistics();
      assertThat(statistics.rows().done()).isEqualTo(100);
      assertThat(statistics.tokens().read()).isEqualTo(tokens - saved);
      assertThat(statistics.saved().duplicateRows()).isEqualTo(100 - DISTINCT);
      assertThat(statistics.saved().duplicateTokens()).isEqualTo(saved);
    }
  }

  @Test
  void manyCallersAtOnceSaveAllThatOneSaves() throws Exception {
    List<RowRequest> rows = tickets();
    int callers = 8;
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    try (Engine engine = Engine.open(SampleModel.options().withReuse(REUSE))) {
      List<Future<List<RowAnswer>>> asked = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        asked.add(threads.submit(() -> Answers.asked(engine, rows)));
      }
      for (Future<List<RowAnswer>> answers : asked) {
        for (RowAnswer answer : answers.get()) {
          assertThat(answer.get()).isInstanceOf(RowOutcome.Scored.class);
        }
      }
      assertThat(engine.statistics().rows().done()).isEqualTo(100L * callers);
      assertThat(engine.statistics().saved().duplicateRows()).isEqualTo(100L * callers - DISTINCT);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void rowsThatDifferInAnythingAnAnswerTellsOfAreNotEqual() throws Exception {
    int[] ids = {1, 50, 60, 70};
    EngineOptions cut =
        SampleModel.options().withMaxTokens(4).withOverLength(OverLength.TRUNCATE_RIGHT);
    try (Engine engine = Engine.open(cut.withReuse(REUSE))) {
      List<RowRequest> rows =
          List.of(
              tokens(ids, Optional.empty()),
              tokens(new int[] {1, 50, 60, 71}, Optional.empty()),
              tokens(ids, Optional.of(new int[] {1, 1, 1, 1})),
              tokens(ids, Optional.of(new int[] {1, 0, 1, 1})),
              tokens(new int[] {1, 50, 60, 70, 80}, Optional.empty()),
              tokens(new int[] {1, 50, 60, 70, 80, 90}, Optional.empty()));
      for (RowAnswer answer : Answers.asked(engine, rows)) {
        assertThat(answer.get()).isInstanceOf(RowOutcome.Scored.class);
        assertThat(answer.cost().isDuplicate()).isFalse();
      }
      RowAnswer again = engine.submit(rows.get(5));
      assertThat(again.cost().isDuplicate()).isTrue();
      assertThat(((RowOutcome.Scored) again.get()).tokenCount()).hasValue(6);
    }
  }

  @Test
  void aCallerWhoGivesUpTakesNoEqualRowWithIt() throws Exception {
    try (Engine engine = Engine.open(SampleModel.options().withReuse(REUSE))) {
      List<RowRequest> rows = tickets();
      List<RowAnswer> given = Answers.asked(engine, rows);
      List<RowAnswer> kept = Answers.asked(engine, rows);
      given.forEach(answer -> answer.cancel(false));
      for (RowAnswer answer : kept) {
        assertThat(answer.get()).isInstanceOf(RowOutcome.Scored.class);
      }
      kept.forEach(answer -> answer.cancel(false));
      assertThat(engine.submit(rows.get(0)).get()).isInstanceOf(RowOutcome.Scored.class);
    }
  }

  @Test
  void aRowThatAllHaveGivenUpIsComputedWhenItComesAgain() throws Exception {
    RowRequest row = tickets().get(0);
    try (Engine engine = Engine.open(SampleModel.options().withReuse(REUSE))) {
      for (int time = 0; time < 50; time++) {
        RowRequest other = tickets().get(1 + time % 60);
        RowAnswer beside = engine.submit(other);
        engine.submit(row).cancel(false);
        assertThat(engine.submit(row).get()).isInstanceOf(RowOutcome.Scored.class);
        assertThat(beside.get()).isInstanceOf(RowOutcome.Scored.class);
      }
    }
  }

  @Test
  void answersAreKeptWithinTheirMemoryOnly() throws Exception {
    // Room for about three rows of 60 tokens.
    try (Engine engine =
        Engine.open(SampleModel.options().withReuse(Reuse.NONE.withAnswers(2400)))) {
      List<RowRequest> rows = tickets().subList(0, 20);
      for (RowAnswer answer : Answers.asked(engine, rows)) {
        answer.get();
      }
      int known = 0;
      for (int row = 19; row >= 0; row--) {
        RowAnswer answer = engine.submit(rows.get(row));
        answer.get();
        known += answer.cost().isDuplicate() ? 1 : 0;
      }
      assertThat(known).isBetween(1, 6);
    }
  }

  @Test
  void failedRowsAreComputedAgain() throws Exception {
    Task task = new Task.Generate(WriterModel.greedy(8), Prompts.plain(), 1 << 16, 4, false);
    try (Engine engine = Engine.open(WriterModel.options(task).withReuse(REUSE))) {
      RowRequest row =
          RowRequest.of(new RowInput.Text("Write a ticket about a parcel that is late."));
      assertThat(((RowOutcome.Failed) engine.submit(row).get()).code())
          .isEqualTo(RowErrorCode.KV_MEMORY);
      // A moment may pass until the failed one is forgotten.
      boolean computedAgain = false;
      for (int attempt = 0; attempt < 200 && !computedAgain; attempt++) {
        RowAnswer answer = engine.submit(row);
        answer.get();
        computedAgain = !answer.cost().isDuplicate();
        Thread.sleep(5);
      }
      assertThat(computedAgain).isTrue();
    }
  }

  @Test
  void greedyTextsAreSharedWhateverTheKeyAndDrawnOnesOnlyWithTheKey() throws Exception {
    assertThat(duplicates(WriterModel.greedy(6), "a", "b", "a")).containsExactly(false, true, true);
    assertThat(duplicates(WriterModel.sampled(6), "a", "b", "a"))
        .containsExactly(false, false, true);
    // Without a key the prompt is the key.
    assertThat(duplicates(WriterModel.sampled(6), "", "", "a")).containsExactly(false, true, false);
  }

  @Test
  void textsAreThoseOfRowsThatAreComputedEachForItself() throws Exception {
    List<RowRequest> rows = new ArrayList<>();
    for (int row = 0; row < 20; row++) {
      rows.add(WriterModel.ask(row % 7));
    }
    Task task = WriterModel.writing(WriterModel.sampled(12));
    assertThat(texts(WriterModel.options(task).withReuse(REUSE), rows))
        .isEqualTo(texts(WriterModel.options(task), rows));
  }

  private static List<String> texts(EngineOptions options, List<RowRequest> rows) throws Exception {
    try (Engine engine = Engine.open(options)) {
      return Answers.bits(Answers.asked(engine, rows));
    }
  }

  private static List<Boolean> duplicates(GenerationOptions options, String... keys)
      throws Exception {
    List<Boolean> duplicates = new ArrayList<>();
    Task task = WriterModel.writing(options);
    try (Engine engine = Engine.open(WriterModel.options(task).withReuse(REUSE))) {
      RowInput prompt = new RowInput.Text("Write a support ticket about billing.");
      for (String key : keys) {
        RowAnswer answer = engine.submit(new RowRequest(prompt, key, List.of()));
        assertThat(answer.get()).isInstanceOf(RowOutcome.Generated.class);
        duplicates.add(answer.cost().isDuplicate());
      }
    }
    return duplicates;
  }

  private static RowRequest tokens(int[] ids, Optional<int[]> mask) {
    return RowRequest.of(new RowInput.Tokens(ids, mask));
  }

  private static List<float[]> logits(EngineOptions options, List<RowRequest> rows)
      throws Exception {
    List<float[]> logits = new ArrayList<>();
    try (Engine engine = Engine.open(options)) {
      for (RowAnswer answer : Answers.asked(engine, rows)) {
        logits.add(((RowOutcome.Scored) answer.get()).logits());
      }
    }
    return logits;
  }
}
