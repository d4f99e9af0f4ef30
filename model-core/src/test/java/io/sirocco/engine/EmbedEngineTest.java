package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.embedding;
import static io.sirocco.engine.EmbedModel.masked;
import static io.sirocco.engine.EmbedModel.options;
import static io.sirocco.engine.EmbedModel.task;
import static io.sirocco.engine.EmbedModel.text;
import static io.sirocco.engine.EmbedModel.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.model.Decoder;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralModel;
import io.sirocco.model.MistralWeights;
import io.sirocco.model.TokenRow;
import io.sirocco.sampling.GenerationOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Embeddings by an engine: what they are, and that nothing but the row makes them. */
class EmbedEngineTest {
  private static final int[] IDS = {1, 50, 60, 70, 80, 90, 100};
  private static final String TICKET = "Where is my parcel? It should be here since Monday.";

  /** Longer than the sliding windows of both models, and than an attention block. */
  private static final String INSTRUCTION =
      "Given one message of a customer, find the other messages that ask for the same thing. Billing"
          + " is about invoices, refunds and cards. Shipping is about parcels, addresses and"
          + " delays. A bug is something that does not work as it should. Account access is about"
          + " passwords and logins. Praise needs no answer, and a feature request asks for what is"
          + " not there yet";

  /** Engines that take one vector of a row. */
  record Pooled(PoolingChoice pooling, Setting setting) {
    EngineOptions of(Path model) {
      return of(options(model, task(pooling)));
    }

    EngineOptions of(EngineOptions options) {
      return setting.of(options);
    }
  }

  static Stream<Pooled> engines() {
    return Stream.of(PoolingChoice.LAST, PoolingChoice.MEAN)
        .flatMap(pooling -> Setting.here().map(setting -> new Pooled(pooling, setting)));
  }

  static Stream<Arguments> models() {
    return engines()
        .flatMap(
            engine ->
                Stream.of(EmbedModel.CLASSIFIER, EmbedModel.WRITER)
                    .map(model -> Arguments.of(engine, model)));
  }

  /** Compared with hidden states of the decoder, normed and pooled here. */
  @ParameterizedTest(name = "{0} of {1}")
  @MethodSource("models")
  void embeddingsAreThePooledHiddenStates(Pooled pooled, Path model) throws Exception {
    int[] mask = {0, 0, 1, 1, 0, 1, 0};
    double tolerance =
        switch (pooled.setting().precision()) {
          case FLOAT32, AUTO -> 1e-6;
          // A coarse check that it is the same vector at all: the mean of elements is near 0.09.
          case BFLOAT16 -> 1e-2;
          case INT8 -> 3e-2;
        };
    try (Engine engine = Engine.open(pooled.of(model))) {
      assertClose(
          embedding(engine.submit(tokens(IDS.clone()))),
          expected(model, TokenRow.of(IDS), pooled.pooling()),
          tolerance);
      assertClose(
          embedding(engine.submit(masked(IDS.clone(), mask.clone()))),
          expected(model, new TokenRow(IDS, java.util.Optional.of(mask)), pooled.pooling()),
          tolerance);
    }
  }

  private static void assertClose(float[] got, double[] want, double tolerance) {
    assertThat(got).hasSameSizeAs(want);
    for (int i = 0; i < want.length; i++) {
      assertThat((double) got[i]).as("element " + i).isCloseTo(want[i], within(tolerance));
    }
  }

  /** Of length 1, in double from the decoder's float32 residual stream. */
  private static double[] expected(Path folder, TokenRow row, PoolingChoice pooling) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    MistralConfig config = MistralConfig.parse(checkpoint.config(), folder.toString());
    double[] sum = new double[config.hiddenSize()];
    try (RootAllocator allocator = new RootAllocator();
        JavaKernels kernels = new JavaKernels(Precision.FLOAT32, 1)) {
      MistralModel model = MistralModel.of(config, MistralWeights.of(checkpoint, config), kernels);
      try (Decoder decoder = new Decoder(model, allocator)) {
        Matrix residual = decoder.forward(List.of(row));
        float[] state = new float[config.hiddenSize()];
        for (int token = 0; token < row.length(); token++) {
          if (row.attentionMask().isPresent() && row.attentionMask().get()[token] == 0) {
            continue;
          }
          residual.readRow(token, state);
          double squares = 0;
          for (float element : state) {
            squares += (double) element * element;
          }
          double scale = 1 / Math.sqrt(squares / state.length + config.rmsNormEps());
          for (int i = 0; i < sum.length; i++) {
            double normed = state[i] * scale * model.norm()[i];
            sum[i] = pooling == PoolingChoice.LAST ? normed : sum[i] + normed;
          }
        }
      }
    }
    double length = Math.sqrt(Arrays.stream(sum).map(element -> element * element).sum());
    return Arrays.stream(sum).map(element -> element / length).toArray();
  }

  @ParameterizedTest
  @MethodSource("engines")
  void whatARowSharesItsBatchWithChangesNoBit(Pooled pooled) throws Exception {
    List<RowRequest> rows = rows();
    List<float[]> alone = new ArrayList<>();
    List<RowAnswer> together = new ArrayList<>();
    try (Engine engine = Engine.open(pooled.of(EmbedModel.CLASSIFIER))) {
      for (RowRequest row : rows) {
        alone.add(embedding(engine.submit(row)));
      }
      for (RowRequest row : rows) {
        together.add(engine.submit(row));
      }
      for (int row = 0; row < rows.size(); row++) {
        assertThat(embedding(together.get(row))).as("row " + row).isEqualTo(alone.get(row));
      }
    }
  }

  private static List<RowRequest> rows() {
    List<RowRequest> rows = new ArrayList<>();
    SampleModel.tickets().values().stream().limit(24).forEach(ticket -> rows.add(text(ticket)));
    rows.add(text(INSTRUCTION));
    rows.add(text("x"));
    rows.add(text(INSTRUCTION + INSTRUCTION + INSTRUCTION));
    return rows;
  }

  /** With the instruction before each text, which the engine finds by itself. */
  @ParameterizedTest
  @MethodSource("engines")
  void whatRowsHaveInCommonChangesNoBit(Pooled pooled) throws Exception {
    Task instructed =
        new Task.Embed(
            pooled.pooling(), Toggle.AUTO, 0, EmbedPrompt.instruction(INSTRUCTION), Toggle.TRUE);
    EngineOptions each = pooled.of(options(EmbedModel.WRITER, instructed));
    Reuse reuse = new Reuse(1 << 20, new Beginning.Text(""));
    List<RowRequest> rows = new ArrayList<>(rows());
    rows.addAll(rows().subList(3, 9));
    List<float[]> wanted = new ArrayList<>();
    try (Engine engine = Engine.open(each)) {
      for (RowRequest row : rows) {
        wanted.add(embedding(engine.submit(row)));
      }
    }
    for (Beginning beginning : List.of(new Beginning.Text(""), new Beginning.Tokens(150))) {
      try (Engine engine = Engine.open(each.withReuse(reuse.withBeginning(beginning)))) {
        long shared = 0;
        long duplicates = 0;
        for (int row = 0; row < rows.size(); row++) {
          RowAnswer answer = engine.submit(rows.get(row));
          assertThat(embedding(answer)).as("row " + row).isEqualTo(wanted.get(row));
          shared += answer.cost().prefix();
          duplicates += answer.cost().isDuplicate() ? 1 : 0;
        }
        assertThat(duplicates).isEqualTo(6);
        // A mean needs the hidden states of every token.
        assertThat(shared > 0).isEqualTo(pooled.pooling() == PoolingChoice.LAST);
        assertThat(engine.plan().memory().sharedPrefix() > 0).isEqualTo(shared > 0);
      }
    }
  }

  @Test
  void embeddingsAreCutAndThenHaveLengthOne() throws Exception {
    for (PoolingChoice pooling : List.of(PoolingChoice.LAST, PoolingChoice.MEAN)) {
      float[] raw = embedding(sized(pooling, Toggle.FALSE, 0), text(TICKET));
      float[] cut = embedding(sized(pooling, Toggle.FALSE, 16), text(TICKET));
      float[] whole = embedding(sized(pooling, Toggle.TRUE, 0), text(TICKET));
      float[] small = embedding(sized(pooling, Toggle.TRUE, 16), text(TICKET));
      assertThat(raw).hasSize(128);
      assertThat(length(raw)).isNotCloseTo(1, within(0.1));
      assertThat(cut).isEqualTo(Arrays.copyOf(raw, 16));
      assertThat(whole).hasSize(128);
      assertThat(length(whole)).isCloseTo(1, within(1e-6));
      assertThat(small).hasSize(16);
      assertThat(length(small)).isCloseTo(1, within(1e-6));
      for (int i = 0; i < small.length; i++) {
        assertThat((double) small[i]).isCloseTo(raw[i] / length(cut), within(1e-6));
      }
    }
    assertThatThrownBy(() -> Engine.plan(sized(PoolingChoice.LAST, Toggle.TRUE, 129)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("embed.dimensions")
        .hasMessageContaining("129")
        .hasMessageContaining("128");
  }

  private static EngineOptions sized(PoolingChoice pooling, Toggle normalize, int dimensions) {
    return options(
        EmbedModel.CLASSIFIER,
        new Task.Embed(pooling, normalize, dimensions, EmbedPrompt.none(), Toggle.AUTO));
  }

  private static double length(float[] vector) {
    double squares = 0;
    for (float element : vector) {
      squares += (double) element * element;
    }
    return Math.sqrt(squares);
  }

  @Test
  void anInstructionIsTheTextBeforeEachRow() throws Exception {
    Task plain = task(PoolingChoice.LAST);
    Task instructed =
        new Task.Embed(
            PoolingChoice.LAST, Toggle.AUTO, 0, EmbedPrompt.instruction("Find it"), Toggle.AUTO);
    assertThat(embedding(options(EmbedModel.WRITER, instructed), text(TICKET)))
        .isEqualTo(
            embedding(
                options(EmbedModel.WRITER, plain), text("Instruct: Find it\nQuery: " + TICKET)));
    try (Engine engine = Engine.open(options(EmbedModel.WRITER, instructed))) {
      RowOutcome blank = engine.submit(text(" \n")).get();
      assertThat(((RowOutcome.Failed) blank).code()).isEqualTo(RowErrorCode.EMPTY_TEXT);
      // Tokens are used as they are.
      assertThat(embedding(engine.submit(tokens(IDS.clone()))))
          .isEqualTo(embedding(options(EmbedModel.WRITER, plain), tokens(IDS.clone())));
    }
  }

  @Test
  void aRowWhoseMaskHidesEverythingIsRefused() throws Exception {
    try (Engine engine = Engine.open(options(EmbedModel.WRITER, task()))) {
      RowOutcome.Failed failed =
          (RowOutcome.Failed) engine.submit(masked(new int[] {1, 5, 6}, 0, 0, 0)).get();
      assertThat(failed.code().code()).isEqualTo("bad-attention-mask");
      assertThat(failed.message()).contains("hides all tokens");
      assertThat(engine.submit(masked(new int[] {1, 5, 6}, 0, 1, 0)).get())
          .isInstanceOf(RowOutcome.Embedded.class);
    }
    EngineOptions cut =
        options(EmbedModel.WRITER, task())
            .withMaxTokens(2)
            .withOverLength(OverLength.TRUNCATE_RIGHT);
    try (Engine engine = Engine.open(cut)) {
      RowOutcome.Failed failed =
          (RowOutcome.Failed) engine.submit(masked(new int[] {2, 2, 1, 5}, 0, 0, 1, 1)).get();
      assertThat(failed.code()).isEqualTo(RowErrorCode.BAD_ATTENTION_MASK);
    }
  }

  @Test
  void headsAreNeitherReadNorCounted() {
    for (Path model : List.of(EmbedModel.CLASSIFIER, EmbedModel.WRITER)) {
      Checkpoint checkpoint = Checkpoint.open(model);
      String head = model.equals(EmbedModel.WRITER) ? "lm_head.weight" : "score.weight";
      long bytes = checkpoint.find(head).orElseThrow().bytes();
      EnginePlan plan = Engine.plan(options(model, task()));
      assertThat(plan.memory().weightsMapped()).isEqualTo(checkpoint.bytes() - bytes);
      assertThat(plan.notes()).anyMatch(note -> note.contains("not used: [" + head + "]"));
      assertThat(plan.labels()).isEmpty();
      assertThat(plan.model()).startsWith("MistralModel, ").contains("embeddings of ");
    }
  }

  @Test
  void aMistralModelWithoutAHeadIsOpenedAndDoesNothingElse(@TempDir Path folder) throws Exception {
    Path golden = Path.of("src/test/resources/golden/base-embed");
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(golden.resolve(file), folder.resolve(file));
    }
    Files.copy(EmbedModel.WRITER.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    EngineOptions embeds = options(folder, task());
    assertThat(embedding(embeds, tokens(1, 39, 69))).hasSize(64);
    Task writes = new Task.Generate(GenerationOptions.none(), Prompts.plain(), 0, 4, false);
    assertThatThrownBy(() -> Engine.plan(options(folder, writes)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("lm_head.weight is missing");
    assertThatThrownBy(() -> Engine.plan(options(folder, new Task.Classify())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("score.weight is missing");
  }

  @Test
  void aModelThatComputesNaNFailsItsRowsAndNoMore(@TempDir Path folder) throws Exception {
    EmbedModel.copy(EmbedModel.WRITER, folder);
    poisonNorm(folder.resolve("model.safetensors"));
    for (PoolingChoice pooling : List.of(PoolingChoice.LAST, PoolingChoice.MEAN)) {
      try (Engine engine = Engine.open(options(folder, task(pooling)))) {
        RowOutcome.Failed failed = (RowOutcome.Failed) engine.submit(text(TICKET)).get();
        assertThat(failed.code()).isEqualTo(RowErrorCode.NON_FINITE_LOGITS);
        assertThat(failed.message()).contains("of the embedding is NaN");
        assertThat(engine.failure()).isEmpty();
      }
    }
  }

  /** The first element of the final norm becomes bfloat16's NaN. */
  private static void poisonNorm(Path weights) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      long header = Long.reverseBytes(file.readLong());
      byte[] json = new byte[Math.toIntExact(header)];
      file.readFully(json);
      String text = new String(json, java.nio.charset.StandardCharsets.UTF_8);
      String after = text.substring(text.indexOf("\"model.norm.weight\""));
      String offset = after.replaceFirst("(?s).*?\"data_offsets\"\\s*:\\s*\\[\\s*(\\d+).*", "$1");
      file.seek(Long.BYTES + header + Long.parseLong(offset));
      file.write(new byte[] {(byte) 0xc0, 0x7f});
    }
  }
}
