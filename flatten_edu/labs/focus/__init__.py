"""The lab `focus`: what does the focusing factor p do to directions?"""
