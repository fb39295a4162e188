"""Image quality on the trusted side: PSNR and SSIM in named profiles, and MATLAB's bicubic.

Images are numpy arrays of uint8, channels last, RGB. Nothing here opens files, and nothing is
computed by a library's own thread pool, which could go on spinning while a forward is being timed.
"""
