// Functions of libtorch that tch does not bind. All of them go through the CPU half of libtorch, so that one program
// serves machines with and without CUDA.

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace {

// Runs `work` and returns whether it has succeeded. No exception may cross into Rust: its text is written to `message`,
// cut to fit.
template <typename Work>
bool succeeds(char* message, std::size_t capacity, Work work) noexcept {
  try {
    work();
    return true;
  } catch (const c10::Error& error) {
    std::snprintf(message, capacity, "%s", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::snprintf(message, capacity, "%s", error.what());
  } catch (...) {
    std::snprintf(message, capacity, "libtorch threw something that is not an exception");
  }
  return false;
}

// libtorch has it once its CUDA half is open.
c10::DeviceAllocator& cuda_allocator() {
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(c10::kCUDA));
  if (allocator == nullptr) {
    throw std::runtime_error("libtorch has no allocator for CUDA");
  }
  return *allocator;
}

// The allocator has pools for small and for large tensors.
std::uint64_t peak_of_all_pools(const c10::CachingAllocator::StatArray& pools) {
  return static_cast<std::uint64_t>(pools[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak);
}

}  // namespace

extern "C" {

bool optlab_make_convolutions_repeatable(char* message, std::size_t capacity) {
  return succeeds(message, capacity, [] {
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
  });
}

bool optlab_are_convolutions_repeatable(bool* answer, char* message, std::size_t capacity) {
  return succeeds(message, capacity, [=] {
    *answer = at::globalContext().deterministicCuDNN() && !at::globalContext().benchmarkCuDNN();
  });
}

bool optlab_release_cuda_cache(char* message, std::size_t capacity) {
  return succeeds(message, capacity, [] { cuda_allocator().emptyCache(); });
}

bool optlab_reset_cuda_peak(std::int8_t device, char* message, std::size_t capacity) {
  return succeeds(message, capacity, [=] {
    // Before its first use, the allocator knows no devices, and their peaks are 0.
    if (cuda_allocator().initialized()) {
      cuda_allocator().resetPeakStats(device);
    }
  });
}

bool optlab_cuda_peak(
    std::int8_t device, std::uint64_t* allocated, std::uint64_t* reserved, char* message, std::size_t capacity) {
  return succeeds(message, capacity, [=] {
    const auto stats = cuda_allocator().getDeviceStats(device);
    *allocated = peak_of_all_pools(stats.allocated_bytes);
    *reserved = peak_of_all_pools(stats.reserved_bytes);
  });
}

}  // extern "C"
