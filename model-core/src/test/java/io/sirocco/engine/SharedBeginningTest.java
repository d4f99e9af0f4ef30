package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.sampling.GenerationKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows that begin with the same text have the answers they have each for itself, bit for bit. */
class SharedBeginningTest {
  /** Longer than the sliding windows of both models, 64 and 128 tokens. */
  private static final String INSTRUCTION =
      "You read one message of a customer and decide which team has to answer it. Billing is about"
          + " invoices, refunds and cards. Shipping is about parcels, addresses and delays. A bug is"
          + " something that does not work as it should. Account access is about passwords and"
          + " logins. Praise needs no answer. Decide by what the customer asks for, not by what"
          + " the customer complains about first.\n\nMessage: ";

  private static final Reuse SHARED = Reuse.NONE.withBeginning(new Beginning.Text(INSTRUCTION));

  /** Most with the whole instruction, some with a part of it, some without, one with a mask. */
  private static List<RowRequest> rows() {
    List<RowRequest> rows = new ArrayList<>();
    List<String> tickets = SampleModel.tickets().values().stream().limit(24).toList();
    for (String ticket : tickets) {
      rows.add(text(INSTRUCTION + ticket));
    }
    rows.add(text(tickets.get(0)));
    rows.add(text(INSTRUCTION.substring(0, INSTRUCTION.length() - 40) + "x"));
    rows.add(text(INSTRUCTION));
    rows.add(text(INSTRUCTION + "x"));
    rows.add(text(INSTRUCTION + " " + tickets.get(1)));
    rows.add(text(INSTRUCTION + INSTRUCTION + INSTRUCTION + INSTRUCTION + tickets.get(2)));
    rows.add(text("  " + INSTRUCTION + tickets.get(3)));
    return rows;
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void classified(Setting setting) throws Exception {
    assertSameBits(setting.of(SampleModel.options()), rows());
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void classifiedOnePerBatch(Setting setting) throws Exception {
    EngineOptions options = setting.of(SampleModel.options());
    EngineOptions small = options.withThreads(1).withBatchTokens(1);
    assertThat(answers(small.withReuse(SHARED), rows())).isEqualTo(answers(options, rows()));
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void truncated(Setting setting) throws Exception {
    for (OverLength overLength : List.of(OverLength.TRUNCATE_RIGHT, OverLength.TRUNCATE_LEFT)) {
      for (int most : new int[] {70, 160}) {
        EngineOptions options = setting.of(SampleModel.options());
        EngineOptions cut = options.withMaxTokens(most).withOverLength(overLength);
        assertThat(answers(cut.withReuse(SHARED), rows()))
            .as("%s to %d", overLength, most)
            .isEqualTo(answers(cut, rows()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void scored(Setting setting) throws Exception {
    Task task =
        new Task.Score(
            List.of("billing", "billing and refunds", "shipping", "bug"), " ", Prompts.plain());
    assertSameBits(setting.of(WriterModel.options(task)), rows().subList(12, 31));
  }

  @ParameterizedTest
  @MethodSource("io.sirocco.engine.Setting#here")
  void written(Setting setting) throws Exception {
    for (Prompts prompts : List.of(Prompts.plain(), Prompts.chat(""))) {
      Task greedy = new Task.Generate(WriterModel.greedy(6), prompts, WriterModel.AMPLE, 64, true);
      // Plain Java is slow.
      int from = setting.kernels() == KernelChoice.JAVA ? 22 : 0;
      assertSameBits(setting.of(WriterModel.options(greedy)), rows().subList(from, 31));
      Task drawn =
          new Task.Generate(
              WriterModel.sampled(4).with(GenerationKey.N, 2),
              prompts,
              WriterModel.AMPLE,
              64,
              true);
      assertSameBits(setting.of(WriterModel.options(drawn)), rows().subList(22, 28));
    }
  }

  @Test
  void aSystemPromptIsSharedThoughMessagesHaveNothingElseInCommon(@TempDir Path folder)
      throws Exception {
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Files.copy(WriterModel.SAMPLES.resolve("ticket-writer").resolve(file), folder.resolve(file));
    }
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n"
            + "{% endfor %}[assistant]");
    Task task =
        new Task.Generate(
            WriterModel.greedy(4), Prompts.chat(INSTRUCTION), WriterModel.AMPLE, 64, true);
    EngineOptions options = WriterModel.options(task).withModel(folder.toString());
    Reuse reuse = Reuse.NONE.withBeginning(new Beginning.Text(""));
    List<RowRequest> rows = new ArrayList<>();
    for (String ticket : SampleModel.tickets().values().stream().limit(6).toList()) {
      rows.add(text(ticket));
    }
    rows.add(
        RowRequest.of(new RowInput.Chat("[{\"role\": \"system\", \"content\": \"Be brief.\"}]")));
    assertThat(answers(options.withReuse(reuse), rows)).isEqualTo(answers(options, rows));
    try (Engine engine = Engine.open(options.withReuse(reuse))) {
      RowAnswer answer = engine.submit(rows.get(0));
      assertThat(answer.get()).isInstanceOf(RowOutcome.Generated.class);
      assertThat(answer.cost().prefix()).isGreaterThan(80);
      assertThat(engine.submit(rows.get(6)).cost().prefix()).isZero();
    }
  }

  /** Whichever rows it is learned from, by whichever caller. */
  @Test
  void aBeginningIsLearnedFromTheFirstRows() throws Exception {
    List<String> alone = answers(SampleModel.options(), rows());
    Reuse learning = Reuse.NONE.withBeginning(new Beginning.Tokens(150));
    assertThat(answers(SampleModel.options().withReuse(learning), rows())).isEqualTo(alone);
    ExecutorService callers = Executors.newFixedThreadPool(6);
    try (Engine engine = Engine.open(SampleModel.options().withReuse(learning))) {
      List<Future<List<String>>> all = new ArrayList<>();
      for (int caller = 0; caller < 6; caller++) {
        all.add(
            callers.submit(
                () -> {
                  List<String> answers = new ArrayList<>();
                  for (RowRequest row : rows()) {
                    answers.add(Answers.bits(engine.submit(row).get()));
                  }
                  return answers;
                }));
      }
      for (Future<List<String>> answers : all) {
        assertThat(answers.get()).isEqualTo(alone);
      }
      assertThat(engine.statistics().saved().prefixTokens()).isGreaterThan(6 * 20 * 80);
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void whatWasSavedIsCounted() throws Exception {
    try (Engine engine = Engine.open(SampleModel.options().withReuse(SHARED))) {
      assertThat(engine.plan().memory().sharedPrefix()).isPositive();
      assertThat(engine.plan().notes()).anyMatch(note -> note.contains("in common"));
      assertThat(engine.statistics().memory().keysAndValues()).isZero();
      long prefix = 0;
      long computed = 0;
      long tokens = 0;
      for (RowRequest row : rows()) {
        RowAnswer answer = engine.submit(row);
        tokens += ((RowOutcome.Scored) answer.get()).tokenCount().getAsInt();
        prefix += answer.cost().prefix();
        computed += answer.cost().computed();
      }
      EngineStatistics statistics = engine.statistics();
      assertThat(prefix).isGreaterThan(24 * 80);
      assertThat(prefix + computed).isEqualTo(tokens);
      assertThat(statistics.saved().prefixTokens()).isEqualTo(prefix);
      // The prefix itself is computed once, its end for rows of each length of blocks.
      assertThat(statistics.tokens().read()).isBetween(computed + 80, computed + 400);
      assertThat(statistics.memory().keysAndValues())
          .isPositive()
          .isLessThanOrEqualTo(engine.plan().memory().sharedPrefix());
    }
  }

  @Test
  void rowsWithAMaskAreComputedWhole() throws Exception {
    try (Engine engine = Engine.open(SampleModel.options().withReuse(SHARED))) {
      int[] ids = new int[200];
      Arrays.fill(ids, 5);
      int[] mask = new int[200];
      Arrays.fill(mask, 1);
      RowAnswer answer = engine.submit(RowRequest.of(new RowInput.Tokens(ids, Optional.of(mask))));
      assertThat(answer.get()).isInstanceOf(RowOutcome.Scored.class);
      assertThat(answer.cost().prefix()).isZero();
    }
  }

  @Test
  void aBeginningThatIsTooLongForAnyRowIsNone() throws Exception {
    Reuse reuse = Reuse.NONE.withBeginning(new Beginning.Text("word ".repeat(5000)));
    try (Engine engine = Engine.open(SampleModel.options().withReuse(reuse))) {
      assertThat(engine.plan().memory().sharedPrefix()).isZero();
      assertThat(engine.submit(text("Where is my parcel?")).get())
          .isInstanceOf(RowOutcome.Scored.class);
    }
  }

  private static void assertSameBits(EngineOptions options, List<RowRequest> rows)
      throws Exception {
    assertThat(answers(options.withReuse(SHARED), rows)).isEqualTo(answers(options, rows));
    assertThat(answers(options.withReuse(SHARED.withAnswers(1 << 20)), rows))
        .isEqualTo(answers(options, rows));
  }

  /** Of an engine that shares something, or of one that does not. */
  private static List<String> answers(EngineOptions options, List<RowRequest> rows)
      throws Exception {
    try (Engine engine = Engine.open(options)) {
      List<RowAnswer> asked = Answers.asked(engine, rows);
      List<String> answers = Answers.bits(asked);
      long saved = asked.stream().mapToLong(answer -> answer.cost().prefix()).sum();
      boolean shares = engine.plan().memory().sharedPrefix() > 0;
      if (options.overLength() == OverLength.ERROR) {
        assertThat(saved > 0).as("tokens saved").isEqualTo(shares);
      }
      return answers;
    }
  }

  private static RowRequest text(String text) {
    return RowRequest.of(new RowInput.Text(text));
  }
}
