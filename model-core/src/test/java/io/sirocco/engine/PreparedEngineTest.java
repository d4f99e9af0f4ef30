package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.model.Scores;
import io.sirocco.prepared.HostLock;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PreparedRoom;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines on weights in forms of their own. */
class PreparedEngineTest {
  private static final int ROWS = 200;

  @TempDir private Path folder;

  @BeforeEach
  void needsBfloat16() {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
  }

  @Test
  void packedWeightsChangeNoBitOfText() throws Exception {
    EngineOptions options =
        WriterModel.options(WriterModel.writing(WriterModel.sampled(24)))
            .withPrecision(PrecisionChoice.BFLOAT16);
    List<RowOutcome> stored = texts(options);
    List<RowOutcome> packed = texts(options.withWeights(in(WeightOptions.Form.PACKED)));

    assertThat(packed).usingRecursiveComparison().isEqualTo(stored);
    assertThat(files()).hasSizeGreaterThan(1);
  }

  @Test
  void weightsArePreparedOnceForAllEngines() throws Exception {
    EngineOptions options =
        WriterModel.options(WriterModel.writing(WriterModel.greedy(4)))
            .withPrecision(PrecisionChoice.INT8)
            .withWeights(in(WeightOptions.Form.AUTO));
    List<RowOutcome> first = texts(options);
    Map<Path, FileTime> made = files();
    List<RowOutcome> second = texts(options);

    assertThat(made).isNotEmpty();
    assertThat(files()).isEqualTo(made);
    assertThat(second).usingRecursiveComparison().isEqualTo(first);
  }

  @Test
  void autoPacksForTextsAndNotForLabels() {
    EngineOptions writer =
        WriterModel.options(WriterModel.writing(WriterModel.greedy(4)))
            .withPrecision(PrecisionChoice.BFLOAT16)
            .withWeights(in(WeightOptions.Form.AUTO));
    EngineOptions classifier =
        SampleModel.options()
            .withPrecision(PrecisionChoice.BFLOAT16)
            .withWeights(in(WeightOptions.Form.AUTO));

    assertThat(Engine.plan(writer).notes()).anyMatch(note -> note.contains("packed"));
    assertThat(Engine.plan(classifier).notes()).noneMatch(note -> note.contains("packed"));
  }

  @Test
  void int8LabelsAreThoseOfFloat32() throws Exception {
    List<float[]> exact = logits(SampleModel.options());
    List<float[]> int8 =
        logits(
            SampleModel.options()
                .withPrecision(PrecisionChoice.INT8)
                .withWeights(in(WeightOptions.Form.AUTO)));
    List<float[]> own = logits(SampleModel.options().withPrecision(PrecisionChoice.INT8));

    int same = 0;
    for (int row = 0; row < ROWS; row++) {
      assertThat(int8.get(row)).isNotEqualTo(exact.get(row));
      assertThat(own.get(row)).isEqualTo(int8.get(row));
      same += best(int8.get(row)) == best(exact.get(row)) ? 1 : 0;
    }
    assertThat(same).isGreaterThanOrEqualTo(ROWS * 99 / 100);
  }

  @Test
  void int8RowsDependOnThemselvesAlone() throws Exception {
    EngineOptions options = int8();
    List<float[]> together = logits(options);
    try (Engine engine = Engine.open(options.withThreads(1))) {
      List<String> tickets = List.copyOf(SampleModel.tickets().values());
      for (int row = 0; row < 40; row++) {
        RowRequest request = text(tickets.get(row));
        assertThat(((RowOutcome.Scored) engine.submit(request).get()).logits())
            .isEqualTo(together.get(row));
      }
    }
  }

  @Test
  void autoTakesStoredWeightsWhereNoRoomIsLeft() {
    EngineOptions options =
        WriterModel.options(WriterModel.writing(WriterModel.greedy(4)))
            .withPrecision(PrecisionChoice.BFLOAT16)
            .withWeights(in(WeightOptions.Form.AUTO));
    try (Engine engine = Engine.open(options, new Keeping(Keeping.Check.SIZES, new NoRoom()))) {
      assertThat(engine.plan().notes())
          .anyMatch(
              note ->
                  note.startsWith("weights are read as they are stored: packed ones")
                      && note.endsWith("for which there is no room in " + folder))
          .noneMatch(note -> note.startsWith("weights are kept"));
      assertThat(engine.prepared().bytes()).isZero();
    }
    try (Engine engine = Engine.open(options)) {
      assertThat(engine.plan().notes())
          .anyMatch(note -> note.startsWith("weights are kept packed"));
      assertThat(engine.prepared().bytes()).isPositive();
    }
  }

  @Test
  void autoTakesStoredWeightsWhereRoomIsGoneMeanwhile() {
    EngineOptions options =
        WriterModel.options(WriterModel.writing(WriterModel.greedy(4)))
            .withPrecision(PrecisionChoice.BFLOAT16);
    Keeping keeping = new Keeping(Keeping.Check.SIZES, new RoomThatGoes());
    try (Engine engine = Engine.open(options.withWeights(in(WeightOptions.Form.AUTO)), keeping)) {
      assertThat(engine.plan().notes())
          .anyMatch(
              note ->
                  note.startsWith("weights are read as they are stored: packed ones")
                      && note.contains("somebody was faster"));
      assertThat(engine.plan().weights()).isEqualTo(WeightOptions.Form.STORED);
    }
    assertThatThrownBy(
            () -> Engine.open(options.withWeights(in(WeightOptions.Form.PACKED)), keeping))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("somebody was faster");
  }

  @Test
  void autoTakesStoredWeightsWhereTheOthersCannotBeWritten() throws Exception {
    EngineOptions options =
        WriterModel.options(WriterModel.writing(WriterModel.greedy(4)))
            .withPrecision(PrecisionChoice.BFLOAT16);
    Keeping keeping = new Keeping(Keeping.Check.SIZES, new FolderThatGoes());
    try (Engine engine = Engine.open(options.withWeights(in(WeightOptions.Form.AUTO)), keeping)) {
      assertThat(engine.plan().notes())
          .anyMatch(
              note ->
                  note.startsWith("weights are read as they are stored: packed ones")
                      && note.contains("cannot be made here"));
      assertThat(engine.plan().weights()).isEqualTo(WeightOptions.Form.STORED);
      assertThat(engine.prepared().bytes()).isZero();
      assertThat(engine.submit(WriterModel.ask(1)).get()).isInstanceOf(RowOutcome.Generated.class);
    }
    assertThatThrownBy(
            () -> Engine.open(options.withWeights(in(WeightOptions.Form.PACKED)), keeping))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("cannot be made here");
  }

  @Test
  void whatAnotherLibraryWouldPackHasAPlaceOfItsOwn() throws IOException {
    EngineOptions options = int8();
    Engine.open(options).close();
    PreparedPlace place = PreparedPlace.in(folder).get(0);
    assertThat(place.model()).endsWith("-int8-" + OneDnnKernels.layouts());
    assertThat(place.isComplete(place.bytes())).isTrue();
    assertThat(place.reserved()).isEqualTo(place.bytes());
  }

  @Test
  void preparedWeightsAreHeldAsLongAsTheEngineIsOpen() throws IOException {
    EngineOptions options = int8();
    PreparedPlace place;
    try (Engine engine = Engine.open(options)) {
      assertThat(engine.prepared().bytes()).isPositive();
      place = PreparedPlace.in(folder).get(0);
      assertThat(HostLock.tryExclusive(place.useLock())).isEmpty();
    }
    HostLock.tryExclusive(place.useLock()).orElseThrow().close();
  }

  private record RoomThatGoes() implements PreparedRoom {
    @Override
    public boolean has(PreparedPlace place, long bytes) {
      return true;
    }

    @Override
    public void reserve(PreparedPlace place, long bytes) {
      throw new ModelException(place.folder().toString(), "somebody was faster");
    }
  }

  /** Somebody removes it as soon as there is room. */
  private record FolderThatGoes() implements PreparedRoom {
    @Override
    public boolean has(PreparedPlace place, long bytes) {
      return true;
    }

    @Override
    public void reserve(PreparedPlace place, long bytes) {
      try (Stream<Path> all = Files.walk(place.folder())) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private record NoRoom() implements PreparedRoom {
    @Override
    public boolean has(PreparedPlace place, long bytes) {
      return false;
    }

    @Override
    public void reserve(PreparedPlace place, long bytes) {
      throw new IllegalStateException("nobody should ask");
    }
  }

  private EngineOptions int8() {
    return SampleModel.options()
        .withPrecision(PrecisionChoice.INT8)
        .withWeights(in(WeightOptions.Form.AUTO));
  }

  private WeightOptions in(WeightOptions.Form form) {
    return new WeightOptions(form, folder.toString());
  }

  private static List<RowOutcome> texts(EngineOptions options) throws Exception {
    try (Engine engine = Engine.open(options)) {
      List<Future<RowOutcome>> answers = new ArrayList<>();
      for (int number = 0; number < 24; number++) {
        answers.add(engine.submit(WriterModel.ask(number)));
      }
      List<RowOutcome> outcomes = new ArrayList<>();
      for (Future<RowOutcome> answer : answers) {
        outcomes.add(answer.get());
      }
      return outcomes;
    }
  }

  private static List<float[]> logits(EngineOptions options) throws Exception {
    try (Engine engine = Engine.open(options)) {
      List<Future<RowOutcome>> answers = new ArrayList<>();
      for (String ticket : SampleModel.tickets().values().stream().limit(ROWS).toList()) {
        answers.add(engine.submit(text(ticket)));
      }
      List<float[]> logits = new ArrayList<>();
      for (Future<RowOutcome> answer : answers) {
        logits.add(((RowOutcome.Scored) answer.get()).logits());
      }
      return logits;
    }
  }

  private static RowRequest text(String ticket) {
    return new RowRequest(new RowInput.Text(ticket), ticket, List.of());
  }

  private static int best(float[] logits) {
    double[] scores = new double[logits.length];
    for (int label = 0; label < scores.length; label++) {
      scores[label] = logits[label];
    }
    return Scores.best(scores);
  }

  private Map<Path, FileTime> files() throws IOException {
    Map<Path, FileTime> times = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith(".lock")) {
          times.put(file, Files.getLastModifiedTime(file));
        }
      }
    }
    return times;
  }
}
