package io.sirocco.engine;

import io.sirocco.kernel.Kernels;
import io.sirocco.model.MistralModel;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.NotPreparedException;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedWeights;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One open model serving many callers. One thread of its own packs the rows of all callers into
 * batches and computes them; a row's outcome depends on that row and the options alone.
 *
 * <p>Callers tokenize in their own threads, and wait where the queue is full: memory stays flat
 * however many rows come.
 */
public final class Engine implements AutoCloseable {
  /** Batches that may wait behind the running one. */
  private static final int BATCHES_QUEUED = 4;

  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  private final EnginePlan plan;
  private final Intake intake;
  private final Resources resources;
  private final Line line;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Freed when nothing is computed any more. */
  private record Resources(
      BufferAllocator allocator,
      Tokenizer tokenizer,
      Optional<PreparedWeights> prepared,
      Kernels kernels) {
    void free() {
      kernels.close();
      prepared.ifPresent(PreparedWeights::close);
      tokenizer.close();
      allocator.close();
    }
  }

  /** The way of the rows. */
  private record Line(RowQueue queue, Worker worker, Scheduler scheduler, Meter meter) {}

  private Engine(EnginePlan plan, Intake intake, Resources resources, Line line) {
    this.plan = plan;
    this.intake = intake;
    this.resources = resources;
    this.line = line;
  }

  /**
   * Opens the model, maps its weights and starts the engine's thread.
   *
   * @throws io.sirocco.checkpoint.ModelException if the folder is not usable for the task, the
   *     kernels asked for are not available, or the memory does not suffice
   */
  public static Engine open(EngineOptions options) {
    return open(options, kernels -> kernels, Keeping.PLAIN);
  }

  /** As {@link #open(EngineOptions)}, with rules for the files of prepared weights. */
  public static Engine open(EngineOptions options, Keeping keeping) {
    return open(options, kernels -> kernels, keeping);
  }

  /**
   * As {@link #open(EngineOptions)}, with other kernels around its own, such as those that measure.
   *
   * @param around must close the kernels that it gets when the result is closed
   */
  public static Engine open(EngineOptions options, UnaryOperator<Kernels> around) {
    return open(options, around, Keeping.PLAIN);
  }

  private static Engine open(
      EngineOptions options, UnaryOperator<Kernels> around, Keeping keeping) {
    ModelFiles files = ModelFiles.open(options);
    KernelSetup setup = KernelSetup.of(options.kernels(), options.precision());
    Preparation wanted = Preparation.of(options, setup, files, keeping.room());
    try {
      return open(options, around, files, setup, () -> wanted.claim(options, files, keeping));
    } catch (NotPreparedException e) {
      Preparation.Claim left = wanted.without(options, e);
      return open(options, around, files, setup, () -> left);
    }
  }

  /** Claims when all else that can be refused has been read: others' weights may have to go. */
  private static Engine open(
      EngineOptions options,
      UnaryOperator<Kernels> around,
      ModelFiles files,
      KernelSetup setup,
      Supplier<Preparation.Claim> claiming) {
    try (Unwinding opened = new Unwinding()) {
      Tokenizer tokenizer = opened.add(tokenizer(options));
      Optional<EmbedSettings> embedding =
          EmbedSettings.of(options, files.checkpoint(), files.config(), tokenizer);
      TextReader reader = new TextReader(tokenizer, options, conversations(options), embedding);
      PrefixChoice prefix = new CommonTokens(reader, options, files.config()).find();
      Preparation.Claim claim = claiming.get();
      claim.folder().ifPresent(opened::add);
      Preparation preparation = claim.preparation();
      Planner.Reading reading = new Planner.Reading(prefix, embedding);
      EnginePlan plan = Planner.plan(options, files, setup, preparation, reading);
      BufferAllocator allocator =
          opened.add(new RootAllocator(Planner.allocatorLimit(plan.memory())));
      preparation.noRoom().ifPresent(LOG::warn);
      Optional<PreparedWeights> prepared =
          claim
              .folder()
              .<PreparedWeights>map(folder -> folder)
              .or(() -> preparation.inMemory(allocator).map(opened::add));
      Kernels kernels =
          opened.add(around.apply(setup.open(options.threads(), allocator, prepared)));
      MistralModel model = MistralModel.of(files.config(), files.weights(), kernels);
      prepared.map(PreparedWeights::made).ifPresent(Engine::sayWhatWasMade);
      OpenAdapters adapters = files.adapters().prepare(kernels);
      Meter meter = new Meter(options.batchTokens());
      Worker worker =
          opened.add(
              Workers.of(
                  new Workers.OpenModel(
                      options, files, plan, model, adapters, prefix, embedding, tokenizer,
                      allocator, meter)));
      // The worker has asked for the language model's head, the last of them.
      claim.folder().ifPresent(PreparedFolder::complete);
      RowQueue queue =
          new RowQueue(
              (long) options.batchTokens() * BATCHES_QUEUED, duplicates(options, files, meter));
      Scheduler scheduler =
          new Scheduler(queue, worker, new Scheduler.Limit(meter, options.batchDeadline()));
      Sharing sharing = new Sharing(prefix, options.task(), files.config().padTokenId());
      AdapterNames names = new AdapterNames(options.adapters(), files.answersWithoutAdapter());
      Intake intake =
          new Intake(reader, options, new Intake.Model(sharing, names, files.config().vocabSize()));
      Engine engine =
          new Engine(
              plan,
              intake,
              new Resources(allocator, tokenizer, prepared, kernels),
              new Line(queue, worker, scheduler, meter));
      opened.keep();
      scheduler.start();
      return engine;
    }
  }

  private static void sayWhatWasMade(PreparedWeights.Made made) {
    if (made.bytes() > 0) {
      LOG.info(
          "prepared weights of {} bytes in {} s",
          made.bytes(),
          String.format(Locale.ROOT, "%.1f", made.seconds()));
    }
  }

  /**
   * What {@link #open} would run, decided by the same rules, without keeping anything open.
   *
   * @throws io.sirocco.checkpoint.ModelException as {@link #open}
   */
  public static EnginePlan plan(EngineOptions options) {
    return plan(options, Keeping.PLAIN);
  }

  /** As {@link #plan(EngineOptions)}, for {@link #open(EngineOptions, Keeping)}. */
  public static EnginePlan plan(EngineOptions options, Keeping keeping) {
    ModelFiles files = ModelFiles.open(options);
    KernelSetup setup = KernelSetup.of(options.kernels(), options.precision());
    try (Tokenizer tokenizer = tokenizer(options)) {
      Optional<EmbedSettings> embedding =
          EmbedSettings.of(options, files.checkpoint(), files.config(), tokenizer);
      TextReader reader = new TextReader(tokenizer, options, conversations(options), embedding);
      PrefixChoice prefix = new CommonTokens(reader, options, files.config()).find();
      Preparation preparation = Preparation.of(options, setup, files, keeping.room());
      Planner.Reading reading = new Planner.Reading(prefix, embedding);
      return Planner.plan(options, files, setup, preparation, reading);
    }
  }

  private static Tokenizer tokenizer(EngineOptions options) {
    return Tokenizer.open(Path.of(options.model()), options.specialTokens());
  }

  private static Duplicates duplicates(EngineOptions options, ModelFiles files, Meter meter) {
    boolean draws =
        Planner.settings(options, files).map(GenerationSettings::doSample).orElse(false);
    return new Duplicates(
        options.reuse().answerBytes(),
        draws ? Question.Draws.BY_KEY : Question.Draws.BY_TOKENS,
        meter);
  }

  private static Conversations conversations(EngineOptions options) {
    Prompts prompts = options.task().prompts();
    return prompts.form() == Prompts.Form.CHAT
        ? Conversations.open(Path.of(options.model()), prompts.systemPrompt())
        : Conversations.none();
  }

  /** What this engine runs. */
  public EnginePlan plan() {
    return plan;
  }

  /** Weights that were brought into another form when it opened, and the time that it took. */
  public PreparedWeights.Made prepared() {
    return resources.prepared().map(PreparedWeights::made).orElse(PreparedWeights.Made.NOTHING);
  }

  /**
   * Accounts for the engine's native memory; callers make their own children of it and close them.
   */
  public BufferAllocator allocator() {
    return resources.allocator();
  }

  /** Tokens of a row, special tokens included, before truncation; empty if it cannot be read. */
  public OptionalInt countTokens(RowRequest row) {
    return intake.countTokens(row);
  }

  /**
   * Tokenizes the row in the caller's thread and queues it. Blocks while the queue is full. The
   * future always completes: with an outcome, unless the engine is closed or breaks under it. With
   * {@link Reuse#answerBytes}, a row may get the outcome of an equal one, which nobody must change.
   *
   * @throws InterruptedException if interrupted while waiting for room
   * @throws EngineFailedException if the engine is broken
   * @throws IllegalStateException if the engine is closed
   */
  public RowAnswer submit(RowRequest row) throws InterruptedException {
    Intake.Row read = intake.read(row);
    if (read instanceof Intake.Accepted accepted) {
      return line.queue().put(accepted, line.meter()::done);
    }
    RowOutcome.Failed refused = ((Intake.Refused) read).outcome();
    line.meter().done(refused);
    return RowAnswer.refused(refused);
  }

  /** What it has done and holds. Any thread may ask, also of an engine that is broken or closed. */
  public EngineStatistics statistics() {
    Meter meter = line.meter();
    return new EngineStatistics(
        meter.rows(line.queue().rowsWaiting()),
        meter.tokens(line.queue().tokensWaiting()),
        meter.saved(),
        meter.batches(),
        new EngineStatistics.Memory(
            line.worker().keyValueBytes(),
            plan.memory().kvCache() + plan.memory().sharedPrefix(),
            plan.memory().weightsMapped(),
            resources.allocator().getAllocatedMemory(),
            resources.allocator().getPeakMemoryAllocation()));
  }

  /**
   * Why the engine computes nothing any more, though nobody has closed it; empty while it works.
   */
  public Optional<EngineFailedException> failure() {
    return line.queue().closed().flatMap(Engine::failure);
  }

  private static Optional<EngineFailedException> failure(RuntimeException reason) {
    return reason instanceof EngineFailedException failed ? Optional.of(failed) : Optional.empty();
  }

  /**
   * Refuses what is queued, waits for the running batch, frees everything. Idempotent.
   *
   * <p>It does not wait for a batch beyond its deadline: a native call that hangs cannot be
   * interrupted. What such a batch uses stays where it is, and is freed if the batch ends after
   * all.
   *
   * @throws IllegalStateException if a caller has not closed its child of {@link #allocator}; the
   *     message says how many bytes are still in use
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    line.queue().close(new IllegalStateException("the engine has been closed"));
    if (line.scheduler().awaitEnd()) {
      resources.free();
      return;
    }
    LOG.warn(
        "the engine is given up while it computes: its thread and {} bytes of native memory stay"
            + " until the computation ends, if it ever does; {}",
        resources.allocator().getAllocatedMemory(),
        failure().map(Throwable::getMessage).orElse(""));
    line.scheduler().whenEnded(this::freeLate);
  }

  private void freeLate() {
    try {
      resources.free();
      LOG.info("the computation that was given up has ended, and its memory is freed");
    } catch (RuntimeException e) {
      LOG.warn("the memory of an engine that was given up was not freed cleanly", e);
    }
  }
}
