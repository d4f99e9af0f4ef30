package io.sirocco.engine;

import io.sirocco.kernel.Kernels;
import io.sirocco.model.MistralModel;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

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

  private final EnginePlan plan;
  private final BufferAllocator allocator;
  private final Tokenizer tokenizer;
  private final Kernels kernels;
  private final Intake intake;
  private final RowQueue queue;
  private final Scheduler scheduler;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Engine(
      EnginePlan plan,
      BufferAllocator allocator,
      Tokenizer tokenizer,
      Kernels kernels,
      Intake intake,
      RowQueue queue,
      Scheduler scheduler) {
    this.plan = plan;
    this.allocator = allocator;
    this.tokenizer = tokenizer;
    this.kernels = kernels;
    this.intake = intake;
    this.queue = queue;
    this.scheduler = scheduler;
  }

  /**
   * Opens the model, maps its weights and starts the engine's thread.
   *
   * @throws io.sirocco.checkpoint.ModelException if the folder is not usable for the task, the
   *     kernels asked for are not available, or the memory does not suffice
   */
  public static Engine open(EngineOptions options) {
    ModelFiles files = ModelFiles.open(options);
    KernelSetup setup = KernelSetup.of(options.kernels(), options.precision());
    EnginePlan plan = Planner.plan(options, files, setup);
    try (Unwinding opened = new Unwinding()) {
      BufferAllocator allocator =
          opened.add(new RootAllocator(Planner.allocatorLimit(plan.memory())));
      Tokenizer tokenizer =
          opened.add(Tokenizer.open(Path.of(options.model()), options.specialTokens()));
      Kernels kernels = opened.add(setup.open(options.threads(), allocator));
      MistralModel model = MistralModel.of(files.config(), files.weights(), kernels);
      Worker worker =
          opened.add(
              Workers.of(new Workers.OpenModel(options, files, plan, model, tokenizer, allocator)));
      RowQueue queue = new RowQueue((long) options.batchTokens() * BATCHES_QUEUED);
      Scheduler scheduler = new Scheduler(queue, worker);
      Intake intake =
          new Intake(tokenizer, options, conversations(options), files.config().vocabSize());
      Engine engine = new Engine(plan, allocator, tokenizer, kernels, intake, queue, scheduler);
      opened.keep();
      scheduler.start();
      return engine;
    }
  }

  /**
   * What {@link #open} would run, decided by the same rules, without keeping anything open.
   *
   * @throws io.sirocco.checkpoint.ModelException as {@link #open}
   */
  public static EnginePlan plan(EngineOptions options) {
    EnginePlan plan =
        Planner.plan(
            options,
            ModelFiles.open(options),
            KernelSetup.of(options.kernels(), options.precision()));
    Tokenizer.open(Path.of(options.model()), options.specialTokens()).close();
    conversations(options);
    return plan;
  }

  private static Conversations conversations(EngineOptions options) {
    Prompts prompts = Prompts.plain();
    if (options.task() instanceof Task.Generate generate) {
      prompts = generate.prompts();
    } else if (options.task() instanceof Task.Score score) {
      prompts = score.prompts();
    }
    return prompts.form() == Prompts.Form.CHAT
        ? Conversations.open(Path.of(options.model()), prompts.systemPrompt())
        : Conversations.none();
  }

  /** What this engine runs. */
  public EnginePlan plan() {
    return plan;
  }

  /**
   * Accounts for the engine's native memory; callers make their own children of it and close them.
   */
  public BufferAllocator allocator() {
    return allocator;
  }

  /** Tokens of a row, special tokens included, before truncation; empty if it cannot be read. */
  public OptionalInt countTokens(RowRequest row) {
    return intake.countTokens(row);
  }

  /**
   * Tokenizes the row in the caller's thread and queues it. Blocks while the queue is full. The
   * future always completes with an outcome, unless the engine is closed or breaks under it.
   *
   * @throws InterruptedException if interrupted while waiting for room
   * @throws IllegalStateException if the engine is closed or broken
   */
  public Future<RowOutcome> submit(RowRequest row) throws InterruptedException {
    Intake.Row read = intake.read(row);
    if (read instanceof Intake.Accepted accepted) {
      return queue.put(accepted);
    }
    return CompletableFuture.completedFuture(((Intake.Refused) read).outcome());
  }

  /**
   * Refuses what is queued, waits for the running batch, frees everything. Idempotent.
   *
   * @throws IllegalStateException if a caller has not closed its child of {@link #allocator}; the
   *     message says how many bytes are still in use
   */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      queue.close(new IllegalStateException("the engine has been closed"));
      scheduler.join();
      kernels.close();
      tokenizer.close();
      allocator.close();
    }
  }
}
