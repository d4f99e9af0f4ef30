package io.sirocco.engine;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.NotPreparedException;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedMemory;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PreparedRoom;
import io.sirocco.prepared.PreparedWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Which weights an engine brings into another form before it computes, and where they are kept.
 *
 * @param folder of all models' prepared weights; empty: this process's own memory
 * @param noRoom what is to be said where they would be in another form, could they be kept there
 */
record Preparation(Kind kind, String folder, Optional<String> noRoom) {
  /** Digits of the model's fingerprint that name its folder: enough to tell models apart. */
  private static final int FINGERPRINT_DIGITS = 32;

  /** Changes when what is kept of the same weights does. */
  private static final String FORM = "2-";

  /** A weight's file has at most so many bytes more than the weight: alignment, a checksum. */
  private static final long FILE_OVERHEAD = 128;

  enum Kind {
    NONE,
    PACKED,
    INT8
  }

  /**
   * What an engine is going to have, with room for it.
   *
   * @param folder of the prepared weights, closed by the caller; empty where they have none
   */
  record Claim(Preparation preparation, Optional<PreparedFolder> folder) {}

  /** By what there is room for on the disk. */
  static Preparation of(EngineOptions options, KernelSetup setup, ModelFiles files) {
    return of(options, setup, files, PreparedRoom.DISK);
  }

  static Preparation of(
      EngineOptions options, KernelSetup setup, ModelFiles files, PreparedRoom room) {
    Preparation wanted =
        new Preparation(kind(options, setup), options.weights().folder(), Optional.empty());
    return wanted.isChosen(options)
        ? wanted.obstacle(files, room).map(Preparation::stored).orElse(wanted)
        : wanted;
  }

  /**
   * This, and nobody takes its room away any more. What is chosen, rather than asked for, gives way
   * to weights as they are stored; so it must have its room before anything else is decided.
   *
   * @throws ModelException if what is asked for has a folder that cannot be made
   */
  Claim claim(EngineOptions options, ModelFiles files, Keeping keeping) {
    if (kind == Kind.NONE || !shared()) {
      return new Claim(this, Optional.empty());
    }
    if (!isChosen(options)) {
      return new Claim(this, Optional.of(open(files, keeping)));
    }
    try {
      return new Claim(this, Optional.of(openWithRoom(files, keeping)));
    } catch (ModelException e) {
      return stored(e);
    }
  }

  /**
   * What is left where a weight cannot be kept after all, as others fill the disk.
   *
   * @throws ModelException if this form is asked for, rather than chosen; of no kind of its own, as
   *     it may reach the driver as text
   */
  Claim without(EngineOptions options, NotPreparedException why) {
    if (!isChosen(options)) {
      throw new ModelException(why);
    }
    return stored(why);
  }

  /** Weights as they are stored, as others have found no place. */
  private static Claim stored(ModelException why) {
    return new Claim(stored(cannotBeKept(why)), Optional.empty());
  }

  private PreparedFolder open(ModelFiles files, Keeping keeping) {
    return PreparedFolder.open(place(files), keeping, fileBytes(files));
  }

  private PreparedFolder openWithRoom(ModelFiles files, Keeping keeping) {
    PreparedFolder folder = open(files, keeping);
    boolean reserved = false;
    try {
      folder.reserve(bytes(files));
      reserved = true;
      return folder;
    } finally {
      if (!reserved) {
        folder.close();
      }
    }
  }

  private boolean isChosen(EngineOptions options) {
    return kind == Kind.PACKED && options.weights().form() == WeightOptions.Form.AUTO;
  }

  private static Preparation stored(String why) {
    String reason =
        "weights are read as they are stored: packed ones, which are faster for few tokens at a time, "
            + why;
    return new Preparation(Kind.NONE, "", Optional.of(reason));
  }

  /** Why they cannot be had; empty if all are there, or there is room for them. */
  private Optional<String> obstacle(ModelFiles files, PreparedRoom room) {
    PreparedPlace place = place(files);
    try {
      return place.isComplete(bytes(files)) || room.has(place, fileBytes(files))
          ? Optional.empty()
          : Optional.of(
              "take %s, for which there is no room in %s"
                  .formatted(ByteCount.shown(fileBytes(files)), folder));
    } catch (IOException | ModelException e) {
      return Optional.of(cannotBeKept(e));
    }
  }

  private static String cannotBeKept(Exception why) {
    return "cannot be kept: " + (why instanceof ModelException ? why.getMessage() : why);
  }

  /**
   * Each form has a place of its own: one may be in use while the other can go. So has each way of
   * packing: nobody reads what another version of the library has made.
   */
  private PreparedPlace place(ModelFiles files) {
    String model = files.checkpoint().weightsFingerprint().substring(0, FINGERPRINT_DIGITS);
    return new PreparedPlace(
        Path.of(folder),
        FORM
            + String.join(
                "-", model, kind.name().toLowerCase(Locale.ROOT), OneDnnKernels.layouts()));
  }

  /** Bytes of their files, about. */
  private long fileBytes(ModelFiles files) {
    long weights = files.weights().linearWeights().size() + files.languageHead().stream().count();
    return bytes(files) + weights * FILE_OVERHEAD;
  }

  private static Kind kind(EngineOptions options, KernelSetup setup) {
    if (!setup.oneDnn() || setup.precision() == Precision.FLOAT32) {
      return Kind.NONE;
    }
    if (setup.precision() == Precision.INT8) {
      return Kind.INT8;
    }
    return switch (options.weights().form()) {
      case STORED -> Kind.NONE;
      case PACKED -> Kind.PACKED;
      case AUTO ->
          options.task() instanceof Task.Generate && !options.weights().folder().isEmpty()
              ? Kind.PACKED
              : Kind.NONE;
    };
  }

  /** Whether all processes of the host share what is prepared. */
  boolean shared() {
    return !folder.isEmpty();
  }

  /** Bytes of the prepared weights. */
  long bytes(ModelFiles files) {
    long layers = 0;
    for (Tensor weight : files.weights().linearWeights()) {
      layers +=
          kind == Kind.INT8
              ? elements(weight) + (long) weight.rows() * Float.BYTES
              : elements(weight) * ElementType.BF16.bytes();
    }
    // A classifier's head stays as it is; a language model's is packed.
    long head =
        files.languageHead().map(Preparation::elements).orElse(0L) * ElementType.BF16.bytes();
    return kind == Kind.NONE ? 0 : layers + head;
  }

  /** Bytes of the checkpoint that nobody reads any more once they are prepared. */
  long replacedBytes(ModelFiles files) {
    long layers = files.weights().linearWeights().stream().mapToLong(Tensor::bytes).sum();
    long head =
        files
            .languageHead()
            .filter(weight -> weight != files.weights().embedTokens())
            .map(Tensor::bytes)
            .orElse(0L);
    return kind == Kind.NONE ? 0 : layers + head;
  }

  private static long elements(Tensor tensor) {
    return (long) tensor.rows() * tensor.columns();
  }

  /** Where they are kept if they have no folder; closed by the caller, after the kernels. */
  Optional<PreparedWeights> inMemory(BufferAllocator allocator) {
    return kind == Kind.NONE || shared()
        ? Optional.empty()
        : Optional.of(new PreparedMemory(allocator));
  }
}
